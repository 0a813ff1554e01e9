#!/bin/sh
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Make a signed archive of stand-ins for Jitsi's packages, of the same names; print its key's fingerprint.
# They put files where the real ones do, and their installers write what the real ones write.
# $1 is the program that stands in for the focus and the bridge.
set -eu
archive=/srv/jitsi-archive
if [ -s $archive/fingerprint ]; then
    cat $archive/fingerprint
    exit
fi
apt-get install -qq --no-install-recommends gpg gpg-agent >/dev/null
build=$(mktemp -d)
rm -rf $archive
mkdir -p $archive/stable

begin() { # a package, and what it depends on
    package=$1
    root=$build/$1
    mkdir -p "$root/DEBIAN"
    cat >"$root/DEBIAN/control" <<END
Package: $1
Version: 0~stand-in
Architecture: all
Maintainer: Lab <lab@homestead.test>
Depends: debconf${2:+, $2}
Description: stand-in for $1 in the lab
END
    cat >"$root/DEBIAN/templates" <<'END'
Template: jitsi-videobridge/jvb-hostname
Type: string
Default: localhost
Description: Hostname
END
    cat >"$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
. /usr/share/debconf/confmodule
db_get jitsi-videobridge/jvb-hostname
name=$RET
db_stop
account() {
    getent group jitsi >/dev/null || groupadd jitsi
    getent passwd "$1" >/dev/null || useradd -r -g jitsi -d "/usr/share/$2" "$1"
    chown -R "$1:jitsi" "/etc/jitsi/$3"
    chmod 750 "/etc/jitsi/$3"
    mkdir -p /var/log/jitsi
    chmod 770 /var/log/jitsi
    chown "$1:jitsi" /var/log/jitsi
}
END
}
file() { # a file of the package, from standard input
    mkdir -p "$(dirname "$root$1")"
    cat >"$root$1"
    chmod "$2" "$root$1"
}
end() {
    chmod 755 "$root/DEBIAN" "$root/DEBIAN/postinst"
    dpkg-deb --build --root-owner-group "$root" "$archive/stable/$package.deb" >/dev/null
}
program() { # a script that runs the program with the configuration of which Java is told
    file "$1/service.py" 755 <"$program"
    file "$1/$2" 755 <<END
#!/bin/bash
[[ "\$JAVA_SYS_PROPS" =~ -Dconfig.file=([^ ]+) ]] || exit 2
exec /usr/bin/python3 $1/service.py "\${BASH_REMATCH[1]}"
END
}
program=$1

begin jitsi-meet-web ""
file /usr/share/jitsi-meet/index.html 644 <<'END'
<html><head><!--#include virtual="title.html" --><script><!--#include virtual="/config.js" --></script></head></html>
END
echo '<title>Stand-in for Jitsi Meet</title>' | file /usr/share/jitsi-meet/title.html 644
echo '// stand-in' | file /usr/share/jitsi-meet/libs/external_api.min.js 644
end

begin jicofo "python3-slixmpp"
program /usr/share/jicofo jicofo.sh
echo '# stand-in' | file /etc/jitsi/jicofo/logging.properties 644
file /etc/init.d/jicofo 755 <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides: jicofo
# Required-Start: $remote_fs
# Required-Stop: $remote_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
exit 0
END
cat >>"$root/DEBIAN/postinst" <<'END'
account jicofo jicofo jicofo
echo 'jicofo {}' >/etc/jitsi/jicofo/jicofo.conf
END
end

begin jitsi-videobridge2 "python3-slixmpp"
program /usr/share/jitsi-videobridge jvb.sh
echo '# stand-in' | file /etc/jitsi/videobridge/logging.properties 644
file /lib/systemd/system/jitsi-videobridge2.service 644 <<'END'
[Unit]
Description=Stand-in for Jitsi Videobridge
After=network-online.target

[Service]
SuccessExitStatus=143
AmbientCapabilities=CAP_NET_BIND_SERVICE
EnvironmentFile=/etc/jitsi/videobridge/config
Environment=LOGFILE=/var/log/jitsi/jvb.log
User=jvb
RuntimeDirectory=jitsi-videobridge
RuntimeDirectoryMode=0750
ExecStart=/bin/bash -c "exec /usr/share/jitsi-videobridge/jvb.sh ${JVB_OPTS} < /dev/null >> ${LOGFILE} 2>&1"
Restart=on-failure

[Install]
WantedBy=multi-user.target
END
cat >>"$root/DEBIAN/postinst" <<'END'
account jvb jitsi-videobridge videobridge
echo 'JAVA_SYS_PROPS="-Dconfig.file=/etc/jitsi/videobridge/jvb.conf"' >/etc/jitsi/videobridge/config
echo 'videobridge {}' >/etc/jitsi/videobridge/jvb.conf
END
end

begin jitsi-meet-prosody "prosody"
plugins=/usr/share/jitsi-meet/prosody-plugins
for module in features_identity conference_duration muc_lobby_rooms muc_breakout_rooms limits_exception muc_hide_all \
    muc_meeting_id muc_domain_mapper muc_rate_limit muc_password_whitelist speakerstats_component end_conference \
    av_moderation_component room_metadata_component polls_component; do
    echo '-- stand-in' | file "$plugins/mod_$module.lua" 644
done
file $plugins/mod_auth_jitsi-anonymous.lua 644 <<'END'
-- Stand-in: whoever comes gets a name.
local new_sasl = require "util.sasl".new;
local new_name = require "util.id".medium;
module:provides("auth", {
    get_sasl_handler = function ()
        return new_sasl(module.host, { anonymous = function () return new_name():lower(), true; end });
    end;
    user_exists = function () return true; end;
});
END
file $plugins/mod_client_proxy.lua 644 <<'END'
-- Stand-in: questions go to the session of the target of which presence was heard, answers come back.
local st = require "util.stanza";
local jid = require "util.jid";
local target, session = module:get_option_string("target_address"), nil;
local function forward(event)
    local stanza = event.stanza;
    local from, _, _, resource = stanza.attr.from, jid.split(stanza.attr.to);
    if jid.bare(from) == target then
        if stanza.name == "presence" then
            session = not stanza.attr.type and from or session;
        elseif stanza.name == "iq" and resource then
            stanza.attr.from, stanza.attr.to = module.host, resource;
            module:send(stanza);
        end
    elseif stanza.name == "iq" and session then
        stanza.attr.from, stanza.attr.to = module.host .. "/" .. from, session;
        module:send(stanza);
    else
        module:send(st.error_reply(stanza, "cancel", "service-unavailable"));
    end
    return true;
end
for _, name in ipairs { "iq", "message", "presence" } do
    for _, kind in ipairs { "host", "full", "bare" } do
        module:hook(name .. "/" .. kind, forward, -1);
    end
end
module:send(st.presence { type = "probe", to = target, from = module.host });
END
file /usr/share/jitsi-meet-prosody/prosody.cfg.lua-jvb.example 644 <<'END'
VirtualHost "jitmeet.example.com"
    authentication = "anonymous"
END
cat >>"$root/DEBIAN/postinst" <<'END'
available=/etc/prosody/conf.avail/$name.cfg.lua
if [ ! -f "$available" ]; then
    sed "s/jitmeet.example.com/$name/g" /usr/share/jitsi-meet-prosody/prosody.cfg.lua-jvb.example >"$available"
    [ -f "/etc/prosody/conf.d/$name.cfg.lua" ] || ln -s "$available" "/etc/prosody/conf.d/$name.cfg.lua"
fi
END
end

cd $archive/stable
sums() { echo "SHA256:$2$(sha256sum "$1" | cut -d' ' -f1)$3"; }
for each in *.deb; do
    dpkg-deb --field "$each"
    echo "Filename: stable/$each"
    echo "Size: $(stat -c %s "$each")"
    sums "$each" " " ""
    echo
done >Packages
{
    echo "Suite: stable/"
    echo "Date: $(LC_ALL=C date -Ru)"
    sums Packages "
 " " $(stat -c %s Packages) Packages"
} >Release
export GNUPGHOME="$build/gpg"
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key jitsi-stand-in rsa3072 sign never
gpg --batch --quiet --clearsign --output InRelease Release
gpg --batch --armor --export jitsi-stand-in >../key.asc
gpg --batch --with-colons --fingerprint jitsi-stand-in | awk -F: '/^fpr/ { print $10; exit }' >../fingerprint
gpgconf --kill gpg-agent
rm -rf "$build"
cat ../fingerprint
