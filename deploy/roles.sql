-- The three roles and the database, for `psi.local`, for docker-compose and for a server of your own:
--     psql -f deploy/roles.sql        (as a superuser, PostgreSQL 16 or newer; may be run again)
-- Passwords come from the environment; where there is none, none is set (the local run, peer authentication).
--
-- psi_owner   owns the database and migrates it; may create the databases of tests
-- psi_app     what the program runs as: it passes no policy and makes no table. Migrations give it its rights
-- psi_backup  pg_dump under forced row-level security sees nothing without BYPASSRLS; it reads, and only reads
\set ON_ERROR_STOP 1
\getenv owner_password PSI_OWNER_PASSWORD
\getenv app_password PSI_APP_PASSWORD
\getenv backup_password PSI_BACKUP_PASSWORD
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['psi_owner', 'psi_app', 'psi_backup']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE psi_owner LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE psi_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE psi_backup LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
GRANT pg_read_all_data TO psi_backup;
\if :{?owner_password}
    ALTER ROLE psi_owner PASSWORD :'owner_password';
\endif
\if :{?app_password}
    ALTER ROLE psi_app PASSWORD :'app_password';
\endif
\if :{?backup_password}
    ALTER ROLE psi_backup PASSWORD :'backup_password';
\endif

SELECT 'CREATE DATABASE psi OWNER psi_owner TEMPLATE template0 ENCODING ''UTF8'''
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'psi') \gexec
ALTER DATABASE psi SET timezone TO 'UTC';
-- By default everybody may connect and make temporary tables.
REVOKE ALL ON DATABASE psi FROM PUBLIC;
GRANT CONNECT ON DATABASE psi TO psi_app, psi_backup;
\connect psi
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
