#!/bin/sh
# The real pacemaker-fenced on a corosync of one node, in namespaces of its own: $1 is a folder with
# agents/, which come before those of the system, and cib.xml; $2 is what is done once it listens.
set -u
folder=$1
todo=$2
hostname ctl1
ip link set lo up
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /var/lib/corosync
mount -t tmpfs tmpfs /etc/corosync
install -d -o hacluster -g haclient -m 750 /run/crm /var/log/pacemaker
mount -t overlay -o "lowerdir=$folder/agents:/usr/sbin" overlay /usr/sbin || exit 69
cat >/etc/corosync/corosync.conf <<END
totem {
    version: 2
    cluster_name: one
    crypto_cipher: none
    crypto_hash: none
}
system {
    sched_rr: no
    allow_knet_handle_fallback: yes
}
nodelist {
    node {
        nodeid: 1
        name: ctl1
        ring0_addr: 127.0.0.1
    }
}
quorum {
    provider: corosync_votequorum
}
END

listens() {  # waits until a command succeeds, at most 10 s
    tenths=0
    until "$@" >/dev/null 2>&1; do
        [ $tenths -lt 100 ] || { echo "not up: $*" >&2; exit 69; }
        tenths=$((tenths + 1))
        sleep 0.1
    done
}

corosync -f >"$folder/corosync.log" 2>&1 &
corosync=$!
fenced=
trap 'kill $fenced $corosync; wait' EXIT
listens corosync-cmapctl -g runtime.config.totem.token
CIB_file=$folder/cib.xml /usr/lib/pacemaker/pacemaker-fenced --stand-alone-w-cpg \
    >"$folder/fenced.log" 2>&1 &
fenced=$!
listens stonith_admin --list-registered
sh -u -c "$todo"
