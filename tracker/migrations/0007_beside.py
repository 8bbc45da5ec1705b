import django.db.models.deletion
import psi.tenancy
import sites.codes
import uuid
from django.conf import settings
from django.db import migrations, models

from psi.tenancy import Wall


class Migration(migrations.Migration):

    dependencies = [
        ('sites', '0011_consumers'),
        ('tracker', '0006_survey'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveField(
            model_name='interaction',
            name='wants_debrief',
        ),
        migrations.CreateModel(
            name='HeldRemark',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('text', models.CharField(max_length=500)),
                ('site', models.ForeignKey(db_index=False, default=psi.tenancy.current_site_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sites.site')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DebriefRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The name they go by at their site.', max_length=80)),
                ('asked_on', models.DateField()),
                ('origin', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sites.site')),
                ('site', models.ForeignKey(db_index=False, default=psi.tenancy.current_site_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sites.site')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('site', 'origin', 'user'), name='debrief_once')],
            },
        ),
        migrations.CreateModel(
            name='InformalContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('way', sites.codes.CodeField(choices=[('PHONE', 'By phone'), ('VIDEO', 'By video'), ('IN_PERSON', 'In person'), ('WRITTEN', 'In writing')], max_length=16)),
                ('minutes', sites.codes.CodeField(choices=[('UNDER_15', 'Under 15 minutes'), ('UNDER_30', '15 to 30 minutes'), ('UNDER_60', '30 to 60 minutes'), ('LONGER', 'Over an hour')], max_length=16)),
                ('key', models.UUIDField()),
                ('site', models.ForeignKey(db_index=False, default=psi.tenancy.current_site_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sites.site')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('month__day', 1)), name='informal_month'), models.UniqueConstraint(fields=('site', 'key'), name='informal_once')],
            },
        ),
        migrations.CreateModel(
            name='Remark',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('text', models.CharField(max_length=500)),
                ('site', models.ForeignKey(db_index=False, default=psi.tenancy.current_site_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='sites.site')),
            ],
            options={
                'indexes': [models.Index(fields=['site', '-month'], name='remark_by_month')],
                'constraints': [models.CheckConstraint(condition=models.Q(('month__day', 1)), name='remark_month')],
            },
        ),
        Wall("DebriefRequest"),
        Wall("InformalContact", append_only=True),
        Wall("HeldRemark"),
        Wall("Remark", append_only=True),
        # As for held answers: a row that was rewritten is cleared away within a minute or so.
        migrations.RunSQL(
            'ALTER TABLE "tracker_heldremark"'
            " SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0)",
            migrations.RunSQL.noop,
        ),
    ]
