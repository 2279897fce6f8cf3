#!/bin/sh
# How many sessions each user has, by who(1). Run once per interval by gz-monitor:
#
#     [[collector]]
#     name = "logins"
#     command = ["/usr/local/bin/logins.sh"]
#     interval = "1m"
set -eu

sessions=$(who)
echo '# TYPE login_sessions gauge'
printf '%s\n' "$sessions" | awk '
    NF { count[$1]++ }
    END { for (user in count) printf "login_sessions{user=\"%s\"} %d\n", user, count[user] }'
