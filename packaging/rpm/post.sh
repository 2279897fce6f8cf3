# What %sysusers_create_package, %tmpfiles_create and %systemd_post come to.
systemd-sysusers gz-monitor.conf || :
systemd-tmpfiles --create gz-monitor.conf || :
# The short name, unless another package has it: two of one name cannot be installed.
[ -e /usr/bin/gz ] || ln -s gz-monitor /usr/bin/gz || :
# The socket is for whoever wants it, whatever a preset says of it.
if [ $1 -eq 1 ]; then
    if [ -x /usr/lib/systemd/systemd-update-helper ]; then
        /usr/lib/systemd/systemd-update-helper install-system-units gz-monitor.service || :
    else
        systemctl --no-reload preset gz-monitor.service >/dev/null 2>&1 || :
    fi
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    # Whether a new service runs at once is for the presets to say: those that enable it want it.
    if [ $1 -eq 1 ] && systemctl --quiet is-enabled gz-monitor.service 2>/dev/null; then
        systemctl start gz-monitor.service >/dev/null 2>&1 || :
    fi
fi
