#!/bin/sh
# Creates every secret file of docker-compose.yml with random content; a file that exists is never touched.
#   sudo deploy/secrets.sh [HOST [DIRECTORY]]     HOST: the name in the first, self-signed certificate
#
# Compose binds these files into the containers with the owner and mode they have here. The application is
# uid 10001 and owns them; a server with another uid that needs one gets gid 10001 by group_add, and mode 0440.
set -eu
umask 077
host=${1:-localhost}
dir=${2:-$(dirname "$0")/secrets}
owner=10001:10001

command -v openssl >/dev/null || { echo "openssl is not installed; it makes the random values." >&2; exit 2; }
mkdir -p "$dir"
chmod 0700 "$dir"

create() { # NAME MODE: stdin becomes the file
    cat >"$dir/.new"
    [ -s "$dir/.new" ] || { echo "$1 would be empty: openssl failed, or the disk is full." >&2; exit 2; }
    chmod "$2" "$dir/.new"
    if [ "$(id -u)" -eq 0 ]; then chown "$owner" "$dir/.new"; fi
    mv "$dir/.new" "$dir/$1"
    echo "created $1"
}
missing() { [ ! -e "$dir/$1" ]; }
value() { cat "$dir/$1"; }
derived() { if missing "$1"; then create "$1" "$2"; fi; }
random() { # NAME MODE BYTES
    made=$(openssl rand -hex "$3")
    printf '%s' "$made" | derived "$1" "$2"
}
key() { # NAME: one line, the key's id and the key
    id=$(openssl rand -hex 4)
    made=$(openssl rand -base64 32)
    printf '%s:%s\n' "$id" "$made" | derived "$1" 0400
}

# The application alone; audit_key, which signs the trail, only its worker
random secret_key 0400 48
key field_key
key index_key
key audit_key

# What only you know, an empty line until you write it: the mail server, what the witness knows us by, and the password of
# Alertmanager's mail (.env.example)
derived smtp_url 0400 <<EOF

EOF
derived witness_token 0400 <<EOF

EOF

derived alert_mail_password 0440 <<EOF

EOF

# PostgreSQL: one password for each role
random postgres_password 0440 32
random database_owner_password 0400 32
random database_app_password 0400 32
random database_sealer_password 0400 32
random database_backup_password 0400 32
random database_monitor_password 0440 32
random database_maintenance_password 0400 32
derived database_url 0400 <<EOF
postgres://healthrecords_app:$(value database_app_password)@postgres:5432/healthrecords
EOF
derived database_owner_url 0400 <<EOF
postgres://healthrecords_owner:$(value database_owner_password)@postgres:5432/healthrecords
EOF

derived database_sealer_url 0400 <<EOF
postgres://healthrecords_sealer:$(value database_sealer_password)@postgres:5432/healthrecords
EOF
derived backup_database_url 0400 <<EOF
postgres://healthrecords_backup:$(value database_backup_password)@postgres:5432/healthrecords
EOF
derived database_monitor_url 0400 <<EOF
postgres://healthrecords_monitor:$(value database_monitor_password)@postgres:5432/healthrecords
EOF
derived database_maintenance_url 0400 <<EOF
postgres://healthrecords_maintenance:$(value database_maintenance_password)@postgres:5432/healthrecords
EOF

# Valkey: database 0 is the cache, 1 the broker
random valkey_password 0440 32
derived valkey_auth.conf 0440 <<EOF
requirepass $(value valkey_password)
EOF
derived redis_exporter.json 0440 <<EOF
{"redis://redis:6379": "$(value valkey_password)"}
EOF
derived cache_url 0400 <<EOF
redis://:$(value valkey_password)@redis:6379/0
EOF
derived broker_url 0400 <<EOF
redis://:$(value valkey_password)@redis:6379/1
EOF

# The S3 store: one identity, for two buckets; its internal servers sign what they say to each other
random s3_access_key 0400 10
random s3_secret_key 0400 32
derived s3.json 0440 <<EOF
{"identities": [{
  "name": "healthrecords",
  "credentials": [{"accessKey": "$(value s3_access_key)", "secretKey": "$(value s3_secret_key)"}],
  "actions": ["Admin:documents", "Read:documents", "Write:documents", "List:documents", "Tagging:documents",
              "Admin:audit", "Read:audit", "Write:audit", "List:audit"]
}]}
EOF
derived s3_security.toml 0440 <<EOF
[jwt.signing]
key = "$(openssl rand -hex 32)"
[jwt.signing.read]
key = "$(openssl rand -hex 32)"
[jwt.filer_signing]
key = "$(openssl rand -hex 32)"
[jwt.filer_signing.read]
key = "$(openssl rand -hex 32)"
[s3.sse]
kek = "$(openssl rand -hex 32)"
EOF

# The second copy of the documents is encrypted with it: lost without a recovery kit, the copy is lost
random backup_documents_password 0400 32

# The stores of backups, where they are buckets: put the credentials of that store in place of these
random backup_s3_access_key 0400 10
random backup_s3_secret_key 0400 32

# Monitoring
random metrics_token 0440 32
random alerts_token 0440 32
random grafana_admin_password 0440 16
random grafana_secret_key 0440 32

# HAProxy: certificate chain and key in one file. Put a certificate of your authority in its place.
if missing tls.pem; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
        -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
        -keyout "$dir/.key" -out "$dir/.certificate" 2>/dev/null
    cat "$dir/.certificate" "$dir/.key" | create tls.pem 0440
    rm -f "$dir/.certificate" "$dir/.key"
fi

if [ "$(id -u)" -ne 0 ]; then
    echo "Not run as root: the files belong to $(id -un), and the containers (uid 10001) cannot read them." >&2
fi
