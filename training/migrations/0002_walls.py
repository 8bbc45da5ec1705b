from django.db import migrations

from psi.tenancy import Wall


class Migration(migrations.Migration):
    dependencies = [("training", "0001_initial")]
    operations = [
        Wall("Department"),
        Wall("PeerSupporter"),
        Wall("Evaluates"),
    ]
