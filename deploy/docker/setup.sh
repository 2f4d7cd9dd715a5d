#!/bin/bash
# What a new installation in containers needs before the server starts; harmless when it is there already.
# The administrator's password is drawn here and shown once, in this container's log.
set -euo pipefail
umask 077
secrets=/var/lib/annotate/secrets

annotate migrate
[ -f "$secrets/token.key" ] || { head -c 32 /dev/urandom >"$secrets/token.key.new" && mv "$secrets/token.key.new" "$secrets/token.key"; }

annotate tenant create --if-missing demo
if [ ! -f "$secrets/admin.password" ]; then
    head -c 15 /dev/urandom | base64 | tr '+/' '-_' >"$secrets/admin.password.new"
    annotate user create --if-missing --tenant demo --email admin@demo.example --name Admin --admin \
        --password-file "$secrets/admin.password.new"
    mv "$secrets/admin.password.new" "$secrets/admin.password"
    echo "log in as admin@demo.example with $(cat "$secrets/admin.password")"
fi

annotate user create --if-missing --tenant demo --email model@demo.example --name Model --no-password
if [ ! -f "$secrets/model.token" ]; then
    rm -f "$secrets/model.token.new"
    annotate token create --tenant demo --email model@demo.example --name prelabel --out "$secrets/model.token.new"
    mv "$secrets/model.token.new" "$secrets/model.token"
fi
