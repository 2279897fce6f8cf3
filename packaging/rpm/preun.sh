# What %systemd_preun comes to: at the last removal the units are stopped and turned off.
if [ $1 -eq 0 ]; then
    if [ -x /usr/lib/systemd/systemd-update-helper ]; then
        /usr/lib/systemd/systemd-update-helper remove-system-units gz-monitor.service gz-monitor.socket || :
    else
        systemctl --no-reload disable --now gz-monitor.service gz-monitor.socket >/dev/null 2>&1 || :
    fi
fi
