# shellcheck shell=bash
# private.sh: a gamed of one's own, in a directory of its own, for scripts that show or test something. To be sourced
# from the top of the tree; build/gamed and build/gamectl are there.
#
#	private_start [-D section.key=value]...		sets private_dir and private_pid, and GAMED_SOCKET for gamectl
#	private_stop					stops it and removes the directory; call it in an EXIT trap

private_pid=
private_dir=

private_start()
{
	local tries
	private_dir=$(mktemp -d "${TMPDIR:-/tmp}/gamed.XXXXXX")
	export GAMED_SOCKET=$private_dir/run/control.sock
	: >"$private_dir/gamed.conf"
	build/gamed -f -c "$private_dir/gamed.conf" -D daemon.runtime_dir="$private_dir/run" \
	    -D daemon.state_dir="$private_dir/state" -D monitor.listen=none "$@" 2>"$private_dir/log" &
	private_pid=$!
	for ((tries = 0; tries < 600; tries++)); do
		! build/gamectl status >/dev/null 2>&1 || return 0
		kill -0 "$private_pid" 2>/dev/null || break
		sleep 0.05
	done
	echo "gamed did not start; its log:" >&2
	cat "$private_dir/log" >&2
	return 1
}

private_stop()
{
	local status=0
	if [ -n "$private_pid" ]; then
		kill -TERM "$private_pid" 2>/dev/null || true
		wait "$private_pid" || status=$?
		private_pid=
	fi
	[ -z "$private_dir" ] || rm -rf "$private_dir"
	private_dir=
	return "$status"
}
