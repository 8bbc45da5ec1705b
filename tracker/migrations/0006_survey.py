import django.db.models.deletion
import psi.tenancy
import sites.codes
import uuid
from django.db import migrations, models

from psi.tenancy import Wall


class Migration(migrations.Migration):

    dependencies = [
        ('sites', '0011_consumers'),
        ('tracker', '0005_rollup_fill'),
    ]

    operations = [
        migrations.CreateModel(
            name='HeldAnswer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('in_time', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('safe', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('helpful', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('recommend', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('again', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('site', models.ForeignKey(db_index=False, default=psi.tenancy.current_site_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sites.site')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SurveyAnswer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('in_time', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('safe', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('helpful', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('recommend', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('again', sites.codes.CodeField(choices=[('YES', 'Yes'), ('NO', 'No'), ('UNSAID', 'I’d rather not say')], default='UNSAID', max_length=16)),
                ('quarter', models.DateField(help_text='Its first day; that in which it was rewritten.')),
                ('site', models.ForeignKey(db_index=False, default=psi.tenancy.current_site_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sites.site')),
            ],
            options={
                'indexes': [models.Index(fields=['site', 'quarter'], name='survey_by_quarter')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quarter__day', 1), ('quarter__month__in', (1, 4, 7, 10))), name='survey_quarter')],
            },
        ),
        Wall("HeldAnswer"),
        Wall("SurveyAnswer", append_only=True),
        # A row that was rewritten is cleared away within a minute or so, not after the usual fifty.
        migrations.RunSQL(
            'ALTER TABLE "tracker_heldanswer"'
            " SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0)",
            migrations.RunSQL.noop,
        ),
    ]
