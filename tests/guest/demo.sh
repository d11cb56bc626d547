#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The demonstration: each command as an administrator types it, and what comes back. Every answer
# is checked; the exit status is 0 only if all were right.

set -u
failures=0

heading() {
    printf '\n\033[1m%s\033[0m\n' "$*"
}

# director COMMAND...: shows and runs a command on the director.
director() {
    printf '\033[36mdirector #\033[0m %s\n' "$*"
    ip netns exec director bash -c "$*" || failures=$((failures + 1))
}

# client WANTED COMMAND...: shows and runs a command on the client; its output must have WANTED.
client() {
    local wanted=$1 output
    shift

    printf '\033[36mclient $\033[0m %s\n' "$*"
    output=$(ip netns exec client bash -c "$*" 2>&1)
    printf '%s\n' "$output" | tr -d '\r'
    if ! grep -qE -- "$wanted" <<<"$output"; then
        printf '\033[31mWRONG: wanted %s\033[0m\n' "$wanted"
        failures=$((failures + 1))
    fi
}

heading "A Layer-7 switch in the kernel: Linux $(uname -r), as the distribution built it"
director insmod "$KTCPVS_BUILD/ktcpvs.ko"

heading "Three real servers: pages on rs1, images on rs2, CGI programs on rs3"
director tcpvsadm pool add pages
director tcpvsadm server add pages 10.0.2.11:80
director tcpvsadm pool add images
director tcpvsadm server add images 10.0.2.12:80
director tcpvsadm pool add programs
director tcpvsadm server add programs 10.0.2.13:80

heading "One service for all of them, and rules that say who answers what"
director tcpvsadm service add web --listen 10.0.1.1:80 '[fd00:1::1]:80' --pool pages
director tcpvsadm rule add web --path-prefix /images/ --use-pool images
director tcpvsadm rule add web --path-regex "'^/cgi/[a-z]+$'" --use-pool programs
director tcpvsadm rule add web --host "'*.img.example.org'" --use-pool images
director tcpvsadm rule add web --cookie beta=yes --use-pool programs
director tcpvsadm rule add web --path /old --redirect http://10.0.1.1/html/ --code 301

heading "By URL"
client 'page of rs1' curl -s http://10.0.1.1/
client 'image of rs2' curl -s http://10.0.1.1/images/logo.png
client 'POST /cgi/form' curl -s -d name=value http://10.0.1.1/cgi/form
client 'html of rs1' curl -sL http://10.0.1.1/old

heading "By host"
client 'rs2' curl -s -H "'Host: a.img.example.org'" http://10.0.1.1/who

heading "By cookie"
client 'rs3' curl -s -b beta=yes http://10.0.1.1/who

heading "Over IPv6"
client 'rs1' curl -s "'http://[fd00:1::1]/who'"

heading "Each request of one connection goes its own way"
client 'rs1 rs2 rs1' curl -s -w "'%header{x-server} '" -o /dev/null -o /dev/null -o /dev/null \
    http://10.0.1.1/ http://10.0.1.1/images/logo.png http://10.0.1.1/html/

heading "A second server for the pages, and clients that stay where they are"
director tcpvsadm pool set pages --cookie SRV --scheduler rr
director tcpvsadm server add pages 10.0.2.12:80
client 'SRV=[0-9a-f]{16}' curl -s -o /dev/null -D - -c /tmp/jar http://10.0.1.1/who \| grep -i cookie
client '(rs[12]) \1 \1 \1' "for n in 1 2 3 4; do curl -s -b /tmp/jar http://10.0.1.1/who; done | xargs"

heading "What the kernel cannot do, it says"
client 'HTTP/1.1 400' curl -s -i -H "'Content-Length: 1'" -H "'Transfer-Encoding: chunked'" \
    -X POST http://10.0.1.1/ \| head -1
printf '\033[36mdirector #\033[0m tcpvsadm pool del images\n'
if ip netns exec director tcpvsadm pool del images; then failures=$((failures + 1)); fi

heading "Under load"
client 'requests in' wrk -t1 -c32 -d3s http://10.0.1.1/who \| grep requests

heading "What was counted"
director tcpvsadm show stats
director rmmod ktcpvs

if [ "$failures" != 0 ]; then
    heading "$failures answers were wrong."
    exit 1
fi
heading "Every answer was right."
