#!/bin/bash
# init-bed.sh SYSTEM PHASE: what scripts/check-init runs inside throw-away machines with that init system. PHASE is "play": installs the package,
# plays, kills the master, reloads, installs a newer package, stops, starts again, and leaves a game running; then "again", in a machine
# that has only the state directory of that one: the game is there, and a purge leaves nothing. Exit 0: all went as it should. Changes the machine.
#
# /share has the packages in old/, new/ and needed/, /out is what outlives a machine.
set -Eeuo pipefail

system=$1
phase=$2
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

export DEBIAN_FRONTEND=noninteractive
install_packages() { dpkg --install "$share"/needed/*.deb "$share/$1"/*.deb >/dev/null; }
package_version() { dpkg-query -W -f '${Version}' gamed; }

# What the init systems have beside what the package installs.
use_system()
{
	local init=/usr/share/gamed/init

	case $system in
	systemd)
		mkdir -p /etc/systemd/system/gamed.service.d
		printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nWatchdogSec=2s\n' >/etc/systemd/system/gamed.service.d/often.conf
		systemctl daemon-reload
		systemctl restart gamed.service
		does() { systemctl "$1" gamed.service; }
		;;
	sysv)
		does() { /etc/init.d/gamed "$1"; }
		;;
	openrc)
		/etc/init.d/gamed stop
		install -m 755 $init/openrc/gamed /etc/init.d/gamed
		does() { rc-service gamed "$1"; }
		;;
	runit)
		/etc/init.d/gamed stop
		cp -a $init/runit/gamed /etc/sv/gamed
		touch /etc/sv/gamed/down
		ln -sfn /etc/sv/gamed /etc/service/gamed
		until_true "runsv" sv status gamed
		does() { sv -w 60 "$1" gamed; }
		;;
	esac
}

is_enabled()
{
	case $system in
	systemd) systemctl is-enabled gamed.service ;;
	sysv | runit) compgen -G '/etc/rc2.d/S??gamed' ;;
	openrc) rc-update show default | grep -w gamed ;;
	esac >/dev/null
}

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

# start_game [OPTION]...: of gamectl.
start_game() { gamectl "$@" start two_player --id g1 --team red=ann,bob --set rounds=20 --set seed=7 >/dev/null; }

# Started, its settings and its master changed; then stopped and started again.
run_service()
{
	local before process
	gamectl status >/dev/null 2>&1 || does start
	start_game
	until_true "a guess" plays river
	until_true "metrics" bash -c 'exec 3<>/dev/tcp/127.0.0.1/9464'
	does status >/dev/null || fail "status is not 0 while it runs"
	[ "$system" != systemd ] || until_true "the status line" bash -c 'systemctl show -P StatusText gamed | grep -q "1 sessions, 1 with"'

	# The new settings come into force, or are refused and gamed goes on.
	printf '[sessions]\nmax=30\n' >/etc/gamed/gamed.conf
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
	[ "$system" != systemd ] || by_socket
	does start
	until_true "the game after a stop" plays night
}

by_socket()
{
	systemctl start gamed.socket
	! systemctl is-active -q gamed.service || fail "the service runs before anybody connects"
	gamectl status >/dev/null
	systemctl is-active -q gamed.service || fail "not started by its socket"
	until_true "the game after socket activation" plays table
	systemctl restart gamed.service
	gamectl status >/dev/null
	systemctl stop gamed.socket gamed.service
	until_true "no process" no_process
}

# A newer package: it runs in the master's process, the games go on in theirs, and the settings are the administrator's.
install_newer()
{
	local version before process

	before=$(master)
	process=$(session)
	# Settings that it does not take are for the administrator to mend: until then the old one goes on.
	sed -i 's/max=30/max=x/' /etc/gamed/gamed.conf
	install_packages new
	version=$(package_version)
	! gamectl version | grep -qx "gamed $version" || fail "$version runs with wrong settings"
	sed -i 's/max=x/max=30/' /etc/gamed/gamed.conf
	install_packages new
	gamectl version | grep -qx "gamed $version" || fail "not $version runs: $(gamectl version)"
	[ "$(master)" = "$before" ] || fail "the newer version runs in another process"
	[ "$(session)" = "$process" ] || fail "the newer version has ended the game's process"
	until_true "the game in the newer version" plays house
	gamectl config | grep -q 'sessions.max  *30 ' || fail "the settings are lost"
}

# One that can't take over in place is started anew, and the games are back.
install_other()
{
	local before

	before=$(master)
	mkdir -p /tmp/refusing
	printf '#!/bin/sh\ncase "$*" in *upgrade) exit 1 ;; esac\nexec /usr/bin/gamectl "$@"\n' >/tmp/refusing/gamectl
	chmod 755 /tmp/refusing/gamectl
	PATH=/tmp/refusing:$PATH install_packages new
	until_true "another master" is_another_master "$before"
	until_true "the game that was not handed over" plays forest
}

# Another gamed beside it, by the unit that is a template.
run_instance()
{
	printf '[monitor]\nlisten=none\n' >/etc/gamed/two.conf
	systemctl start gamed@two.service
	start_game -s /run/gamed-two/control.sock
}

check_instance()
{
	local version

	version=$(package_version)
	gamectl -s /run/gamed-two/control.sock version | grep -qx "gamed $version" || fail "gamed@two is not $version"
	gamectl -s /run/gamed-two/control.sock list | grep -q g1 || fail "the game of gamed@two is gone"
	systemctl is-active -q gamed@two.service || fail "gamed@two is not active"
}

# What has its name, or belonged to its user.
left() { find / \( -path /proc -o -path /sys -o -path /out -o -path /share \) -prune -o \( -name '*gamed*' -o -name '*gamectl*' -o -nouser -o -nogroup \) -print; }

case $phase in
play)
	mkdir -p /out/state /var/lib/gamed
	mount --bind /out/state /var/lib/gamed
	install_packages old
	is_enabled || fail "not enabled"
	gamectl status >/dev/null || fail "does not run when it is installed"
	use_system
	run_service
	[ "$system" != systemd ] || run_instance
	install_newer
	[ "$system" != systemd ] || check_instance
	install_other
	[ "$system" != systemd ] || check_instance
	;;
again)
	cp -a /out/state /var/lib/gamed
	install_packages new
	until_true "the game in the next machine" plays paper
	[ "$system" != systemd ] || run_instance
	dpkg --purge gamed >/dev/null
	until_true "no process" no_process
	[ -z "$(left)" ] || fail "a purge leaves $(left)"
	! getent passwd gamed || fail "a purge leaves the user"
	! getent group gamed || fail "a purge leaves the group"
	echo "$system: installed, played, killed, reloaded, upgraded, stopped, started in another machine, purged"
	;;
esac
