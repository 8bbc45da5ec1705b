from django.db import migrations

from psi.tenancy import REFUSE_CHANGE_SQL, Wall
from psi.vault import SCHEMA_SQL
from sites.engine.audit import CHAIN_SQL


class Migration(migrations.Migration):
    dependencies = [("sites", "0001_initial")]
    operations = [
        migrations.RunSQL(REFUSE_CHANGE_SQL, "DROP FUNCTION psi_refuse_change"),
        migrations.RunSQL(SCHEMA_SQL, "DROP SCHEMA vault CASCADE"),
        migrations.RunSQL(CHAIN_SQL),
        Wall("Profile"),
        Wall("Invitation"),
        Wall("Notice"),
        Wall("AuditEntry", append_only=True),
        Wall("Fact", append_only=True),
    ]
