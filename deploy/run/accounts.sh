# The key of our tokens, and on the first start a tenant with one user a role. No password is known beforehand, and none is
# shown to other processes: they lie in var/secrets (0700). Sourced by ./run.

tenant=demo
roles=(admin manager annotator reviewer qa viewer)

token_key_make() {
    [ -f "$secrets/token.key" ] || as_user sh -c 'umask 077 && head -c 32 /dev/urandom >"$1.new" && mv "$1.new" "$1"' sh "$secrets/token.key"
}

password_make() { head -c 15 /dev/urandom | base64 | tr '+/' '-_'; }

# The passwords are on disk before the users are made, so an interrupted start can go on.
logins_draw() {
    local role
    for role in "${roles[@]}"; do
        printf '%s\t%s@%s.example\t%s\n' "$role" "$role" "$tenant" "$(password_make)"
    done | as_user sh -c 'umask 077 && cat >"$1.part" && mv "$1.part" "$1"' sh "$secrets/logins.new"
}

user_make() { # role, email, password
    local file=$secrets/password
    printf '%s\n' "$3" | as_user sh -c 'umask 077 && cat >"$1"' sh "$file"
    annotate user create --if-missing --tenant "$tenant" --email "$2" --name "${1^}" --password-file "$file" \
        $([ "$1" != admin ] || echo --admin) >/dev/null
    as_user rm "$file"
}

accounts_make() {
    local role email password
    token_key_make
    [ ! -f "$secrets/logins" ] || [ ! -f "$secrets/model.token" ] || return 0
    say "making the tenant \"$tenant\" and its users"
    annotate tenant create --if-missing "$tenant" >/dev/null
    [ -f "$secrets/logins" ] || [ -f "$secrets/logins.new" ] || logins_draw
    if [ ! -f "$secrets/logins" ]; then
        while IFS=$'\t' read -r role email password <&3; do
            user_make "$role" "$email" "$password"
        done 3< <(as_user cat "$secrets/logins.new")
        as_user mv "$secrets/logins.new" "$secrets/logins"
    fi
    annotate user create --if-missing --tenant "$tenant" --email "model@$tenant.example" --name Model --no-password >/dev/null
    as_user rm -f "$secrets/model.token.new"
    annotate token create --tenant "$tenant" --email "model@$tenant.example" --name prelabel --out "$secrets/model.token.new" >/dev/null
    as_user mv "$secrets/model.token.new" "$secrets/model.token"
}

accounts_print() {
    printf '\n%-11s %-28s %s\n' role e-mail password
    as_user cat "$secrets/logins" | while IFS=$'\t' read -r role email password; do
        printf '%-11s %-28s %s\n' "$role" "$email" "$password"
    done
    printf '(kept in %s)\n' "$secrets/logins"
}
