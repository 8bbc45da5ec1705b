from django.db import migrations

FORWARD = """
CREATE FUNCTION psi_published_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'PUBLISHED' AND (
        TG_OP = 'DELETE' OR (to_jsonb(NEW) - 'public') IS DISTINCT FROM (to_jsonb(OLD) - 'public')
    ) THEN
        RAISE EXCEPTION 'tracker_release %: what is published stays as it is', OLD.id;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER published_stays BEFORE UPDATE OR DELETE ON tracker_release
    FOR EACH ROW EXECUTE FUNCTION psi_published_stays();
"""
BACK = "DROP TRIGGER published_stays ON tracker_release; DROP FUNCTION psi_published_stays();"


class Migration(migrations.Migration):

    dependencies = [
        ('tracker', '0008_one_of_each'),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACK),
    ]
