#!/usr/bin/env bash
# Is the service on this port of this container ready? For images without an HTTP client.
# Usage: healthcheck.sh <port>
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
IFS= read -r -t 5 status_line <&3
[[ $status_line == "HTTP/1.1 200 "* ]]
