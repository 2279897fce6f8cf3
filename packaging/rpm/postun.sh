# What %systemd_postun_with_restart comes to: an upgrade restarts a service that runs. A removal keeps
# a changed configuration (.rpmsave), the state and the user, which no later package may inherit.
[ -d /run/systemd/system ] && systemctl daemon-reload >/dev/null 2>&1 || :
if [ $1 -ge 1 ]; then
    systemctl try-restart gz-monitor.service >/dev/null 2>&1 || :
else
    # The package does not own its folders.
    for folder in /etc/gz-monitor /usr/lib/gz-monitor /usr/local/lib/gz-monitor; do
        rmdir $folder/conf.d $folder/plugins $folder 2>/dev/null || :
    done
    [ "$(readlink /usr/bin/gz)" != gz-monitor ] || rm -f /usr/bin/gz || :
fi
