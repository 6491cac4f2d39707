# A PostgreSQL of one's own: a private copy of the installed programs, so that trying an extension
# replaces nothing on the machine, and a throwaway server. The server runs as whoever calls
# start_server, who must not be root.
# shellcheck shell=bash

# private_postgres MAJOR DIRECTORY: PostgreSQL finds its files relative to its programs, wherever
# the whole lies, so a copy is a complete installation. Its pg_config is printed.
private_postgres() {
  local major=$1 prefix=$2
  mkdir -p "$prefix/usr/lib/postgresql" "$prefix/usr/share/postgresql"
  cp -R "/usr/lib/postgresql/$major" "$prefix/usr/lib/postgresql/"
  cp -R "/usr/share/postgresql/$major" "$prefix/usr/share/postgresql/"
  ln -s /usr/include "$prefix/usr/include"
  rm -rf "$prefix/usr/lib/postgresql/$major/lib/"{seeme_rbac.so,bitcode/seeme_rbac*} \
    "$prefix/usr/share/postgresql/$major/extension/"seeme_rbac*
  echo "$prefix/usr/lib/postgresql/$major/bin/pg_config"
}

# start_server PG_CONFIG DIRECTORY [SETTING...]: a cluster in DIRECTORY/data that is reached only
# through a socket in DIRECTORY/run (which no other user may enter, hence trust), with further
# settings ('jit = off'). Sets PGHOST, PGPORT and PGUSER.
start_server() {
  local bin directory=$2
  bin=$("$1" --bindir)
  mkdir -m 700 "$directory/run"
  "$bin/initdb" --pgdata="$directory/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync --no-instructions >"$directory/initdb.log" 2>&1 || { cat "$directory/initdb.log"; return 1; }
  cat >>"$directory/data/postgresql.conf" <<-CONF
	listen_addresses = ''
	unix_socket_directories = '$directory/run'
	port = 5432
	max_connections = 60
	max_prepared_transactions = 5
	shared_buffers = 64MB
	fsync = off
	full_page_writes = off
	autovacuum = off
	CONF
  shift 2
  [ $# = 0 ] || printf '%s\n' "$@" >>"$directory/data/postgresql.conf"
  "$bin/pg_ctl" --pgdata="$directory/data" --log="$directory/server.log" --silent --wait start ||
    { cat "$directory/server.log"; return 1; }
  export PGHOST="$directory/run" PGPORT=5432 PGUSER=postgres
}

# stop_servers DIRECTORY: ends every server that start_server started anywhere below it, whoever
# calls.
stop_servers() {
  local pid_file pid
  find "$1" -path '*/data/postmaster.pid' 2>/dev/null | while read -r pid_file; do
    pid=$(head -n 1 "$pid_file" 2>/dev/null) || continue
    kill -QUIT "$pid" 2>/dev/null || continue
    for _ in {1..100}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  done
}
