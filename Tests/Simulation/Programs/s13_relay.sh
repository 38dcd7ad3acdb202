#!/usr/bin/env bash
# A node, freeDiameter as a relay in front of it and python-diameter as an MME, in a network of
# their own, where nobody else can reach what they open.
#   unshare --net s13_relay.sh WORK PYTHON EIR ARGUMENT…
# WORK holds questions.ndjson. The node gets its arguments and an address for S13. Left in WORK:
# direct.ndjson (answers of the node itself), relayed.ndjson (through the relay), again.ndjson
# (through the relay after the node was killed and came back), traffic.pcapng (what went over the
# node's port), and what each program has said.
set -euo pipefail
programs=$(cd "$(dirname "$0")" && pwd)
work=$1 python=$2
shift 2
cd "$work"
node_address=10.13.0.1:13868 relay_address=10.13.0.2:3868

processes=()
end_all() {
  local status=$?
  trap - EXIT
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  exit $status
}
trap end_all EXIT
trap 'exit 143' INT TERM

until_true() {
  local what=$1 deadline=$((SECONDS + 40))
  shift
  until "$@"; do
    if [ $SECONDS -ge $deadline ]; then
      echo "$what has not happened within 40 seconds" >&2
      exit 1
    fi
    sleep 0.1
  done
}

# stop PROCESS SIGNAL: and forget it.
stop() {
  local kept=() process
  kill -s "$2" "$1"
  wait "$1" || true
  for process in "${processes[@]}"; do [ "$process" = "$1" ] || kept+=("$process"); done
  processes=("${kept[@]}")
}

start_node() {
  "$@" --s13-listen $node_address >node.out 2>>node.log &
  node=$!
  processes+=("$node")
  until_true "the start of the node" grep -q " s13 $node_address" node.out
}

ask() {
  "$python" "$programs/s13_client.py" "$1" questions.ndjson 2>>client.log
}

# What was sent a moment ago may not be in the file yet.
has_goodbye() {
  tshark -r traffic.pcapng -d tcp.port==13868,diameter 2>/dev/null \
    -Y "diameter.cmd.code == 282 && diameter.flags.request == 1 && tcp.srcport == 13868" |
    grep -q .
}

ip link set lo up
# freeDiameter takes no address that begins with 127 and would open all others instead.
ip address add 10.13.0.1/32 dev lo
ip address add 10.13.0.2/32 dev lo

# It wants a certificate with its name and a group for Diffie-Hellman, though TLS is not used.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=relay1.example.org \
  -keyout relay.key -out relay.pem 2>/dev/null
openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out relay.dh 2>/dev/null
echo 'ALLOW_IPSEC *.example.org' >relay.acl
cat >relay.conf <<END
Identity = "relay1.example.org";
Realm = "example.org";
Port = 3868;
SecPort = 0;
No_SCTP;
No_IPv6;
ListenOn = "10.13.0.2";
TcTimer = 1;
TwTimer = 6;
TLS_Cred = "$work/relay.pem", "$work/relay.key";
TLS_CA = "$work/relay.pem";
TLS_DH_File = "$work/relay.dh";
LoadExtension = "acl_wl.fdx" : "$work/relay.acl";
ConnectPeer = "eir.example.org" { ConnectTo = "10.13.0.1"; Port = 13868; No_TLS; No_IPv6; };
END

dumpcap -q -i lo -f "tcp port 13868" -w traffic.pcapng 2>dumpcap.log &
capture=$!
processes+=("$capture")
until_true "the start of dumpcap" grep -q '^File: ' dumpcap.log

start_node "$@"
ask eir.example.org@$node_address >direct.ndjson

freeDiameterd -c relay.conf >relay.log 2>&1 &
relay=$!
processes+=("$relay")
until_true "the relay's connection" grep -q "'STATE_OPEN'.*'eir.example.org'" relay.log
ask relay1.example.org@$relay_address >relayed.ndjson

stop "$node" KILL
until_true "the relay notices" grep -q "'STATE_OPEN'.*'STATE_CLOSED'.*'eir.example.org'" relay.log
start_node "$@"
until_true "the relay comes back" grep -q "'STATE_REOPEN'.*'STATE_OPEN'.*'eir.example.org'" relay.log
ask relay1.example.org@$relay_address >again.ndjson

stop "$node" TERM
stop "$relay" TERM
until_true "the goodbye of the node" has_goodbye
stop "$capture" TERM
