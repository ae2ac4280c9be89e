#!/bin/sh
# Makes the database roles with the passwords of the secret files, or gives them changed ones. Safe to run again.
#   roles.sh [DIRECTORY]     DIRECTORY: where the secret files are
set -eu
secrets=${1:-/run/secrets}
export PGHOST="${PGHOST:-postgres}" PGUSER=postgres PGDATABASE=postgres PGCONNECT_TIMEOUT=10

password() { # FILE: its content; an unreadable or empty one ends the script
    [ -s "$secrets/$1" ] && [ -r "$secrets/$1" ] || { echo "The secret $1 is missing or cannot be read." >&2; exit 2; }
    cat "$secrets/$1"
}
PGPASSWORD=$(password postgres_password)
HEALTHCARE_OWNER_PASSWORD=$(password database_owner_password)
HEALTHCARE_APP_PASSWORD=$(password database_app_password)
HEALTHCARE_SEALER_PASSWORD=$(password database_sealer_password)
HEALTHCARE_BACKUP_PASSWORD=$(password database_backup_password)
HEALTHCARE_MONITOR_PASSWORD=$(password database_monitor_password)
HEALTHCARE_MAINTENANCE_PASSWORD=$(password database_maintenance_password)
export PGPASSWORD HEALTHCARE_OWNER_PASSWORD HEALTHCARE_APP_PASSWORD HEALTHCARE_SEALER_PASSWORD
export HEALTHCARE_BACKUP_PASSWORD HEALTHCARE_MONITOR_PASSWORD HEALTHCARE_MAINTENANCE_PASSWORD

exec psql -qX -v ON_ERROR_STOP=1 -o /dev/null -f "$(dirname "$0")/roles.sql"
