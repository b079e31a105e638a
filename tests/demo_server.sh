# Sourced by the scripts that ask a running server (the example project under gunicorn, with demo data on SQLite) or need
# tools of others, which they install into a place of their own.

# answers: whether the server answers over HTTP, with whatever.
answers() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$PORT" || return 1
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    read -r status <&3
    exec 3>&-
    [[ "$status" = HTTP/* ]]
} 2>/dev/null

# start_demo_server WORK WSGI: serves in the background. Sets SERVER, PORT, STATS_API_KEY, and in WORK leaves `seed`,
# what was printed about the demo data, and `server.log`.
start_demo_server() {
    local work="$1" wsgi="$2" python=.venv/bin/python
    export SECRET_KEY=only-for-tests DATABASE_URL="sqlite:///$work/db.sqlite3"
    $python manage.py migrate --verbosity 0
    $python manage.py seed_demo --clicks 2000 >"$work/seed" 2>&1
    STATS_API_KEY="$(grep -oE 'sk_[0-9a-z]{12}_[0-9A-Za-z_-]+' "$work/seed" | head -1)"
    export STATS_API_KEY
    PORT="$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
    readonly PORT
    $python -m gunicorn "$wsgi" --bind "127.0.0.1:$PORT" --workers 2 --threads 4 --log-level warning \
        2>"$work/server.log" &
    SERVER=$!
    # Until it answers: it takes connections before any worker has started.
    for _ in $(seq 3000); do
        if kill -0 "$SERVER" 2>/dev/null && answers; then return; fi
        sleep 0.1
    done
    echo "The server did not start." >&2
    return 1
}

# finish_demo_server WORK: for a trap at the end. Stops the server, and after a failure shows what was logged.
finish_demo_server() {
    local status=$?
    if [ -n "${SERVER:-}" ]; then kill "$SERVER" && wait "$SERVER" || true; fi
    if [ "$status" -ne 0 ]; then cat "$1"/*.log >&2; fi
    rm -rf "$1"
}

# install_npm HERE INTO: what HERE/package-lock.json names, unless it is there.
install_npm() {
    if cmp -s "$1/package-lock.json" "$2/installed"; then return; fi
    mkdir -p "$2"
    cp "$1/package.json" "$1/package-lock.json" "$2"
    (cd "$2" && npm ci --no-audit --no-fund --loglevel=error)
    cp "$1/package-lock.json" "$2/installed"
}

# install_pip HERE INTO: a virtual environment with what HERE/requirements.txt names, unless it is there.
install_pip() {
    if cmp -s "$1/requirements.txt" "$2/installed"; then return; fi
    rm -rf "$2"
    .venv/bin/python -m venv "$2"
    "$2/bin/python" -m pip install --quiet -r "$1/requirements.txt"
    cp "$1/requirements.txt" "$2/installed"
}
