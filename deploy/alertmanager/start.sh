#!/bin/sh
# Starts Alertmanager by alertmanager.yml; where HEALTHCARE_ALERT_MAIL_TO is set, its alerts go there by mail, too.
# The password, if there is a user, is the file alert_mail_password among the secrets.
set -eu
made=${TMPDIR:-/tmp}/alertmanager.yml
to=${HEALTHCARE_ALERT_MAIL_TO:-}
mail="[]"

plain() { # NAME VALUE: what goes into the file as it is may hold nothing that YAML or sed would read
    case $2 in *[!A-Za-z0-9@._:+-]* | "")
        echo "Cannot start: $1 is empty or holds more than letters, digits and @ . _ : + -" >&2
        exit 2
    esac
}

if [ -n "$to" ]; then
    plain HEALTHCARE_ALERT_MAIL_TO "$to"
    plain HEALTHCARE_MAIL_FROM "${HEALTHCARE_MAIL_FROM:-}"
    plain HEALTHCARE_ALERT_SMARTHOST "${HEALTHCARE_ALERT_SMARTHOST:-}"
    login=
    if [ -n "${HEALTHCARE_ALERT_MAIL_USER:-}" ]; then
        plain HEALTHCARE_ALERT_MAIL_USER "$HEALTHCARE_ALERT_MAIL_USER"
        login=", auth_username: \"$HEALTHCARE_ALERT_MAIL_USER\", auth_password_file: /run/secrets/alert_mail_password"
    fi
    mail="[{to: \"$to\", from: \"$HEALTHCARE_MAIL_FROM\", smarthost: \"$HEALTHCARE_ALERT_SMARTHOST\", send_resolved: true$login}]"
fi
sed "s|email_configs: \[\]|email_configs: $mail|" "$(dirname "$0")/alertmanager.yml" >"$made"
exec alertmanager --config.file="$made" "$@"
