-- Creates or renews the roles and the database of HealthRecords. Safe to run again; a changed password is taken over.
--
-- Run it with psql as a superuser, in any database, with the six passwords in the environment:
--   HEALTHCARE_OWNER_PASSWORD, HEALTHCARE_APP_PASSWORD, HEALTHCARE_SEALER_PASSWORD, HEALTHCARE_BACKUP_PASSWORD,
--   HEALTHCARE_MONITOR_PASSWORD, HEALTHCARE_MAINTENANCE_PASSWORD
--   psql -qX -v ON_ERROR_STOP=1 -f roles.sql
--
-- healthrecords_owner    owns the database and migrates it
-- healthrecords_app      what the server runs as: reads and writes rows, creates nothing
-- healthrecords_sealer   signs the audit trail: reads it, adds seals
-- healthrecords_trail    owns the audit trail; nobody signs in as it, and only the owner may become it (SET ROLE)
-- healthrecords_backup   copies the whole cluster and its log, and dumps the database; writes nothing
-- healthrecords_monitor  reads statistics, no rows
-- healthrecords_maintenance  vacuums, analyzes, rebuilds indexes, and sets what `maintain tune` tunes; reads no rows

-- The passwords below must not reach the log or the statistics.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SELECT set_config('pg_stat_statements.track', 'none', false);

\getenv owner_password HEALTHCARE_OWNER_PASSWORD
\getenv app_password HEALTHCARE_APP_PASSWORD
\getenv sealer_password HEALTHCARE_SEALER_PASSWORD
\getenv backup_password HEALTHCARE_BACKUP_PASSWORD
\getenv monitor_password HEALTHCARE_MONITOR_PASSWORD
\getenv maintenance_password HEALTHCARE_MAINTENANCE_PASSWORD

SELECT format('CREATE ROLE %I', wanted) FROM unnest(ARRAY['healthrecords_owner', 'healthrecords_app', 'healthrecords_sealer',
    'healthrecords_trail', 'healthrecords_backup', 'healthrecords_monitor', 'healthrecords_maintenance']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE healthrecords_owner WITH LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE healthrecords_app WITH LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD :'app_password';
ALTER ROLE healthrecords_sealer WITH LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD :'sealer_password';
ALTER ROLE healthrecords_trail WITH NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD NULL;
ALTER ROLE healthrecords_backup WITH LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB REPLICATION NOBYPASSRLS PASSWORD :'backup_password';
GRANT pg_monitor, pg_read_all_data TO healthrecords_backup;
GRANT healthrecords_trail TO healthrecords_owner WITH INHERIT FALSE, SET TRUE;
ALTER ROLE healthrecords_monitor WITH LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 5 PASSWORD :'monitor_password';
GRANT pg_monitor TO healthrecords_monitor;
ALTER ROLE healthrecords_maintenance WITH LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 5 PASSWORD :'maintenance_password';
GRANT pg_maintain, pg_monitor TO healthrecords_maintenance;
-- What ops/maintenance/advice.py advises on, and nothing else.
GRANT ALTER SYSTEM ON PARAMETER shared_buffers, effective_cache_size, work_mem, maintenance_work_mem, max_connections,
    random_page_cost, max_wal_size, min_wal_size, max_parallel_workers,
    max_parallel_workers_per_gather, max_parallel_maintenance_workers, autovacuum_vacuum_scale_factor,
    autovacuum_analyze_scale_factor, jit
    TO healthrecords_maintenance;

SELECT 'CREATE DATABASE healthrecords OWNER healthrecords_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'healthrecords') \gexec
ALTER DATABASE healthrecords OWNER TO healthrecords_owner;
REVOKE ALL ON DATABASE healthrecords FROM PUBLIC;
GRANT CONNECT ON DATABASE healthrecords TO healthrecords_app, healthrecords_sealer, healthrecords_backup, healthrecords_monitor,
    healthrecords_maintenance;

\connect healthrecords
SET log_statement = 'none';
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE EXTENSION IF NOT EXISTS pgstattuple;

-- `health integrity` looks at pages and indexes; the functions show no row.
CREATE EXTENSION IF NOT EXISTS amcheck;
GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean), gin_index_check(regclass),
    verify_heapam(regclass, boolean, boolean, text, bigint, bigint) TO healthrecords_app;

-- A named recovery point, and the end of the segment that holds it.
GRANT EXECUTE ON FUNCTION pg_create_restore_point(text), pg_switch_wal(), pg_control_system(), pg_control_checkpoint()
    TO healthrecords_backup;

-- The owner makes tables here; the others may look up names, nobody else may do anything.
ALTER SCHEMA public OWNER TO healthrecords_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO healthrecords_app, healthrecords_sealer, healthrecords_trail, healthrecords_monitor,
    healthrecords_maintenance;

-- Rows of every table that a migration makes; migrations narrow this where a table is append-only.
ALTER DEFAULT PRIVILEGES FOR ROLE healthrecords_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO healthrecords_app;
ALTER DEFAULT PRIVILEGES FOR ROLE healthrecords_owner IN SCHEMA public
    GRANT USAGE ON SEQUENCES TO healthrecords_app;

-- The audit trail's own schema: whoever owns a schema may drop what is in it.
CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION healthrecords_trail;
ALTER SCHEMA audit OWNER TO healthrecords_trail;
ALTER ROLE healthrecords_owner SET search_path = public, audit;
ALTER ROLE healthrecords_app SET search_path = public, audit;
ALTER ROLE healthrecords_sealer SET search_path = public, audit;

GRANT USAGE ON SCHEMA audit TO healthrecords_maintenance;
GRANT EXECUTE ON FUNCTION pg_reload_conf() TO healthrecords_maintenance;

-- Only its owner may drop an index, and maintenance owns none: this drops what a REINDEX CONCURRENTLY left that was cut
-- off, and nothing else. It says whether there was one. A rebuild that goes on holds a lock, and this one gives way.
CREATE OR REPLACE FUNCTION public.drop_leftover_index(leftover oid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    named text;
BEGIN
    SELECT format('%I.%I', nspname, relname) INTO named
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE indexrelid = leftover AND NOT indisvalid AND relname ~ '_cc(new|old)[0-9]*$';
    IF named IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE 'DROP INDEX ' || named;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION public.drop_leftover_index(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.drop_leftover_index(oid) TO healthrecords_maintenance;
