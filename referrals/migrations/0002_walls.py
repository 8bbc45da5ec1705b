from django.db import migrations

from psi.tenancy import Wall


class Migration(migrations.Migration):
    dependencies = [("referrals", "0001_initial")]
    operations = [
        Wall("Referral"),
        Wall("ReferralReason"),
        Wall("ReferralConsent"),
        Wall("ReferralEvent"),
        Wall("FormKey"),
    ]
