#!/bin/sh
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Make a signed archive of one package that asks a question; print the key of whoever signs.
set -eu
apt-get install -qq --no-install-recommends gpg gpg-agent >/dev/null
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
package=$(mktemp -d)
mkdir -p "$package/DEBIAN" /srv/example-archive
cd /srv/example-archive
cat >"$package/DEBIAN/control" <<'END'
Package: example-answer
Version: 1
Architecture: all
Maintainer: Example <example@example.com>
Depends: debconf
Description: asks who somebody is
END
cat >"$package/DEBIAN/templates" <<'END'
Template: example-answer/name
Type: string
Default: nobody
Description: Who are you?
END
printf '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_input high example-answer/name || true\ndb_go || true\n' \
    >"$package/DEBIAN/config"
printf '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get example-answer/name\necho "$RET" >/var/lib/example-answer\n' \
    >"$package/DEBIAN/postinst"
chmod 755 "$package/DEBIAN" "$package/DEBIAN/config" "$package/DEBIAN/postinst"
dpkg-deb --build --root-owner-group "$package" ./example-answer.deb >/dev/null
sums() { echo "SHA256:$2$(sha256sum "$1" | cut -d' ' -f1)$3"; }
{
    cat "$package/DEBIAN/control"
    echo "Filename: ./example-answer.deb"
    echo "Size: $(stat -c %s example-answer.deb)"
    sums example-answer.deb " " ""
} >Packages
{
    echo "Suite: ./"
    echo "Date: $(LC_ALL=C date -Ru)"
    sums Packages "
 " " $(stat -c %s Packages) Packages"
} >Release
gpg --batch --quiet --passphrase '' --quick-generate-key example ed25519 sign never
gpg --batch --quiet --clearsign --output InRelease Release
gpg --batch --armor --export example
gpgconf --kill gpg-agent
