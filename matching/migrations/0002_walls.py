from django.db import migrations

from psi.tenancy import Wall


class Migration(migrations.Migration):
    dependencies = [("matching", "0001_initial")]
    operations = [
        Wall("Match"),
        Wall("MatchEvent"),
    ]
