from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('referrals', '0009_handed_to'),
    ]

    operations = [
        migrations.AddField(
            model_name='referral',
            name='surveyed',
            field=models.BooleanField(default=False, help_text='The right to answer the survey was used; not when.'),
        ),
    ]
