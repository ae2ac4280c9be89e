#!/bin/sh
# Collects the static files while the image is built. The settings insist on every secret, so that this makes
# throwaway ones, which are gone when it ends; no server is asked.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

random() { python -c 'import secrets; print(secrets.token_hex(32))'; }
key() { python -c 'import base64, secrets; print(secrets.token_hex(4) + ":" + base64.b64encode(secrets.token_bytes(32)).decode())'; }
umask 077
key >"$scratch/field"
key >"$scratch/index"

HEALTHCARE_DATA_DIR=$scratch \
HEALTHCARE_SECRET_KEY=$(random) \
HEALTHCARE_FIELD_KEY_FILE=$scratch/field \
HEALTHCARE_INDEX_KEY_FILE=$scratch/index \
HEALTHCARE_DATABASE_URL=postgres://nobody:$(random)@localhost/none \
HEALTHCARE_CACHE_URL=redis://:$(random)@localhost/0 \
HEALTHCARE_BROKER_URL=redis://:$(random)@localhost/1 \
HEALTHCARE_S3_ENDPOINT=http://localhost \
HEALTHCARE_S3_ACCESS_KEY=$(random) \
HEALTHCARE_S3_SECRET_KEY=$(random) \
HEALTHCARE_PUBLIC_URL=https://localhost \
HEALTHCARE_TRUSTED_PROXIES=127.0.0.1/32 \
    python manage.py collectstatic --noinput
