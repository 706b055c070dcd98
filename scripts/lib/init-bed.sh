#!/bin/bash
# init-bed.sh SYSTEM: what scripts/check-init runs inside a throw-away machine with that init system: installs gamed from the
# directory of this script, plays, kills the master, reloads, stops. Exit 0: all went as it should. Changes the machine.
set -Eeuo pipefail

system=$1
share=$(cd "$(dirname "$0")" && pwd)

fail()
{
	echo "init-bed: $system: $*" >&2
	exit 1
}

# until_true WHAT COMMAND...: looks again until the command succeeds, for 30 s.
until_true()
{
	local what=$1 i
	shift
	for ((i = 0; i < 300; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	"$@" >&2 || true
	say_log
	fail "waited too long for $what"
}

# What went wrong is in the log of the machine.
say_log()
{
	[ "$system" != systemd ] || journalctl --no-pager -n 30 -u gamed.service >&2
}
trap say_log ERR

# ---- installing ------------------------------------------------------------------------------------

cp -a "$share/root/." /
# Libraries that this machine has not got.
for lib in "$share"/lib/*; do
	[ -e "/usr/lib/$(uname -m)-linux-gnu/${lib##*/}" ] || cp "$lib" "/usr/lib/$(uname -m)-linux-gnu/"
done
ldconfig
chmod 755 /run /var/lib
init=/usr/local/share/gamed/init
printf '[sessions]\nmax=20\n' >/etc/gamed/gamed.conf

user_make()
{
	id gamed >/dev/null 2>&1 || useradd --system --home-dir /var/lib/gamed --shell /usr/sbin/nologin gamed
}

case $system in
systemd)
	systemd-sysusers /usr/local/lib/sysusers.d/gamed.conf
	systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/gamed.conf
	mkdir -p /etc/systemd/system/gamed.service.d
	printf '[Service]\nWatchdogSec=2s\n' >/etc/systemd/system/gamed.service.d/watchdog.conf
	systemctl daemon-reload
	does() { systemctl "$1" gamed.service; }
	;;
sysv)
	user_make
	install -m 755 $init/sysvinit/gamed /etc/init.d/gamed
	update-rc.d gamed defaults
	does() { /etc/init.d/gamed "$1"; }
	;;
openrc)
	user_make
	install -m 755 $init/openrc/gamed /etc/init.d/gamed
	rc-update add gamed default
	does() { rc-service gamed "$1"; }
	;;
runit)
	user_make
	cp -a $init/runit/gamed /etc/sv/gamed
	touch /etc/sv/gamed/down
	ln -sfn /etc/sv/gamed /etc/service/gamed
	until_true "runsv" sv status gamed
	does() { sv -w 60 "$1" gamed; }
	;;
esac

# ---- playing ---------------------------------------------------------------------------------------

master() { cat /run/gamed/gamed.pid; }
# The process that runs the game.
session() { gamectl -j show g1 | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'; }
is_another_master() { [ "$(master)" != "$1" ] && gamectl status; }
no_process() { ! pgrep -u gamed >/dev/null; }
# plays WORD: both answer it, each once, however often it is tried.
plays()
{
	gamectl show g1 | grep -q two_player &&
	    gamectl send g1 guess player_id=ann word="$1" --key "ann-$1" &&
	    gamectl send g1 guess player_id=bob word="$1" --key "bob-$1"
}

does start
gamectl start two_player --id g1 --team red=ann,bob --set rounds=20 >/dev/null
until_true "a guess" plays river
until_true "metrics" bash -c 'exec 3<>/dev/tcp/127.0.0.1/9464'
does status >/dev/null || fail "status is not 0 while it runs"
[ "$system" != systemd ] || until_true "the status line" bash -c 'systemctl show -P StatusText gamed | grep -q "1 sessions, 1 with"'

# The new settings come into force, or are refused and gamed goes on.
sed -i 's/max=20/max=30/' /etc/gamed/gamed.conf
if [ "$system" = runit ]; then gamectl reload; else does reload; fi
gamectl config | grep -q 'sessions.max  *30 ' || fail "the new settings are not in force"
sed -i 's/max=30/max=x/' /etc/gamed/gamed.conf
! gamectl reload 2>/dev/null || fail "wrong settings are taken"
[ "$system" = runit ] || ! does reload 2>/dev/null || fail "reload succeeds with wrong settings"
sed -i 's/max=x/max=30/' /etc/gamed/gamed.conf

# A master that is killed: the game goes on in its process, which the next one adopts.
before=$(master)
process=$(session)
kill -KILL "$before"
case $system in
systemd | runit) until_true "another master" is_another_master "$before" ;;
*)
	until_true "the end of its processes" bash -c '! pgrep -u gamed -f "gamed: gateway"'
	if [ "$system" = openrc ]; then does restart; else does start; fi
	;;
esac
until_true "the game after the master's death" plays stone
[ "$(session)" = "$process" ] || fail "the game's process is another one"
[ "$system" != systemd ] || [ "$(systemctl show -P NRestarts gamed)" -ge 1 ] || fail "nobody restarted it"

# A master that hangs.
if [ "$system" = systemd ]; then
	before=$(master)
	kill -STOP "$before"
	until_true "the watchdog" is_another_master "$before"
	until_true "the game after the watchdog" plays water
	[ "$(session)" = "$process" ] || fail "the game's process did not outlive the watchdog"
fi

does restart
until_true "the game after a restart" plays light

does stop
until_true "no process" no_process
if [ "$system" = runit ]; then
	does status | grep -q '^down:' || fail "status does not say that it is down"
else
	! does status >/dev/null || fail "status is 0 while it is stopped"
fi

# By its socket.
if [ "$system" = systemd ]; then
	systemctl start gamed.socket
	! systemctl is-active -q gamed.service || fail "the service runs before anybody connects"
	gamectl status >/dev/null
	systemctl is-active -q gamed.service || fail "not started by its socket"
	until_true "the game after socket activation" plays night
	systemctl restart gamed.service
	gamectl status >/dev/null
	systemctl stop gamed.socket gamed.service
	until_true "no process" no_process
fi
echo "$system: installed, played, killed, reloaded, stopped"
