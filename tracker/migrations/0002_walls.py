from django.db import migrations

from psi.tenancy import Wall


class Migration(migrations.Migration):
    dependencies = [("tracker", "0001_initial")]
    operations = [
        Wall("Interaction"),
        Wall("ResourceOffered"),
        Wall("Rollup"),
        Wall("ReleaseCell", append_only=True),
    ]
