#!/usr/bin/python
# Copyright: the homestead.matrix contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service
short_description: Make one service true, as one transaction
version_added: 0.1.0
description:
  - Packages, account, secrets, files, the program's own check, units and health in one task.
  - When nothing differs, the task is one round trip and writes nothing.
  - When something differs, all of it comes true, or all of it is put back and the units run as
    before. The message is then what the program itself said.
  - The host remembers with which inputs (files, watched paths, packages) each unit was last
    started. A run that dies is finished by the next one, and no restart is ever lost.
  - A file that somebody else wrote is copied before it is replaced, and named in a warning.
  - What was formerly managed under the same O(name) and is no longer listed is removed.
  - This plugin has a corresponding action plugin that renders the files and calls the modules for
    packages, groups and accounts.
options:
  name:
    description: The name under which the host remembers the service.
    type: str
    required: true
  replaces:
    description:
      - Former names of the service, or names of services that are now a part of it.
      - What the host remembers of those is taken over - their files are removed unless this service
        lists them, and commands that succeeded there need not run again - and their names are
        forgotten.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) makes the service true.
      - V(absent) stops and disables its units and removes its files; packages stay, and so do
        O(data), O(databases) and O(secrets), unless O(retired_data) says otherwise.
    type: str
    choices: [present, absent]
    default: present
  packages:
    description: >-
      Debian packages that must be installed; missing ones are not started by themselves.
      Files below C(/etc/apt) are written first, so they may come from an archive of O(files).
    type: list
    elements: str
    default: []
  debconf:
    description: Answers to what packages ask while they are installed, given if one is missing.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the package that asks.
        type: str
        required: true
      question:
        description: Name of the question.
        type: str
        required: true
      vtype:
        description: Type of the question.
        type: str
        default: string
      value:
        description: The answer.
        type: str
        required: true
  account:
    description: The system account of the service.
    type: dict
    suboptions:
      name:
        description: Name of the user, and of its own group.
        type: str
        required: true
      home:
        description: Home directory, used when the account is made; it is not created.
        type: path
      groups:
        description: Further groups the account belongs to.
        type: list
        elements: str
        default: []
  groups:
    description: System groups that must exist.
    type: list
    elements: str
    default: []
  secrets:
    description:
      - Secrets by name, each a dictionary with an optional C(length) (64 unless told) and
        C(generation) (1 unless told); another generation makes the secret anew.
      - A missing one is made on the host, in C(/etc/homestead/secrets), and never leaves it.
      - One with C(given) true is the operator's, like the password of a mail account. It has its
        C(value), one line, for instance from a vaulted variable; or the operator writes it to
        C(/etc/homestead/secrets/NAME) on the host. It is not made, and no output shows it.
      - Its C(kind) is V(text) unless told. V(wireguard) is a private key of WireGuard, V(pem) one
        of RSA in PEM with C(length) bits (2048 unless told), V(dkim) the same, but its public half
        has the form that stands in the DNS. The public half is returned as RV(public), and is the
        secret C(NAME.public) for files.
      - P(homestead.matrix.secret#filter) names one inside a file.
    type: dict
    default: {}
  directories:
    description: Directories that must exist. Missing ones above any path are made by themselves.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Permissions as octal digits in quotes; V(0755) unless told.
        type: str
  files:
    description: Files and links the service consists of, each with exactly one source.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path; a link that stands there is replaced, not followed.
        type: path
        required: true
      template:
        description: A template, looked up and rendered as M(ansible.builtin.template) does.
        type: str
      content:
        description: The content itself.
        type: str
      document:
        description: Data of any kind, written as JSON or YAML.
        type: raw
      copy:
        description: A file of the controller, looked up as M(ansible.builtin.copy) does.
        type: str
      link:
        description: The target of a symbolic link.
        type: str
      format:
        description:
          - The form of O(files[].document); by default V(json) if the path ends so, else V(yaml).
        type: str
        choices: [json, yaml]
      state:
        description: V(absent) if nothing may stand at this path.
        type: str
        choices: [present, absent]
        default: present
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description:
          - Permissions as octal digits in quotes.
          - Unless told V(0644), or V(0600) for a file that is or holds a secret.
        type: str
      secret:
        description: Whether diffs must only say that the file differs.
        type: bool
        default: false
      after_commands:
        description:
          - Whether it is written or removed only after the commands, such as the link to what they
            install.
        type: bool
        default: false
      on_change: &on_change
        description:
          - What a change means for units. V(restart) and V(reload) concern all O(units).
          - A dictionary with units (a list, or one name) under C(restart) or C(reload) concerns
            those, also of other services; one that does not exist or does not run is left alone.
          - V(none) concerns nobody.
        type: raw
        default: restart
  contents:
    description: What the action plugin rendered. Not for playbooks.
    type: str
  programs:
    description:
      - Programs that come with a version of their own, each in exactly one form,
        O(programs[].requirements), O(programs[].url) or O(programs[].file).
      - A version lies in a directory of its own below O(programs[].path), and the link C(current)
        leads to it once it is complete. The version before it stays, older ones are removed.
      - A file that does not come or has another checksum leaves what runs.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Directory of all versions, such as C(/opt/matrix-synapse).
        type: path
        required: true
      version:
        description: The version that shall run.
        type: str
        required: true
      requirements:
        description:
          - A file of the controller, looked up as M(ansible.builtin.copy) does, with hashes for all
            packages of Python. They are installed into a virtual environment, without a compiler.
            Mirrors and authorities that the host's pip is told of hold, its other settings do not.
        type: str
      url:
        description: Where the host fetches a file.
        type: str
      file:
        description: A file of the controller, sent only when the host does not have this version.
        type: str
      sha256:
        description: The checksum of O(programs[].url) or O(programs[].file), which need one.
        type: str
      unpack:
        description:
          - Whether the file is a tar archive of any compression. Else it is a program, and becomes
            C(current/NAME) with the last name of O(programs[].path).
        type: bool
        default: false
      strip:
        description: How many leading directories of an archive are left away.
        type: int
        default: 0
      on_change: *on_change
  databases:
    description: PostgreSQL databases that must exist, with the roles that own them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the database.
        type: str
        required: true
      owner:
        description: Name of the role that owns it.
        type: str
        required: true
      version:
        description: PostgreSQL's major version.
        type: int
        required: true
      port:
        description: The port of its cluster, which is a part of the name of the socket.
        type: int
        default: 5432
      locale:
        description: Collation and character classification of a new database, in UTF-8.
        type: str
        default: C
  commands:
    description:
      - Programs that make something true, run in order after the files are written, but for those
        with O(files[].after_commands).
      - One runs if O(commands[].creates) is missing or O(commands[].unless) says no. With neither,
        it runs if its words or O(commands[].inputs) differ from those that last succeeded.
    type: list
    elements: dict
    default: []
    suboptions:
      argv:
        description: The program and its arguments.
        type: list
        elements: str
        required: true
      creates:
        description: The path the command makes.
        type: path
      unless:
        description: A program that only reads and succeeds when there is nothing to do.
        type: list
        elements: str
        default: []
      inputs:
        description: Paths whose content the command reads.
        type: list
        elements: path
        default: []
      rerun:
        description: Whether the command also runs when its words or O(commands[].inputs) changed.
        type: bool
        default: false
      user:
        description: The user who runs it; root unless told.
        type: str
      environment:
        description: Further environment variables; secrets are replaced on the host.
        type: dict
        default: {}
      timeout:
        description: Seconds after which it is stopped and counts as failed.
        type: float
        default: 1800
      at_rest:
        description:
          - Whether O(units) and O(instead_of) are stopped before it runs, because it works on what
            is theirs.
        type: bool
        default: false
      on_change: *on_change
  watch:
    description: Files of others whose content is an input of the units, such as certificates.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      on_change: *on_change
  validate:
    description: The program's own checks, run on the files in place; a failure puts all back.
    type: list
    elements: dict
    default: []
    suboptions:
      argv:
        description: The program and its arguments.
        type: list
        elements: str
        required: true
      user:
        description: The user who runs it; root unless told.
        type: str
  units:
    description: Units that must be enabled, running, and running with these files.
    type: list
    elements: str
    default: []
  lets_go:
    description: Units that an earlier O(units) had and that run on, though nobody here needs them.
    type: list
    elements: str
    default: []
  instead_of:
    description:
      - Units of others, in whose place those of O(units) run. They are stopped and disabled, their
        files stay, and they run again as before if the service does not come true.
    type: list
    elements: str
    default: []
  data:
    description:
      - Directories and files that hold what the programs of the service have gathered and nobody
        else needs. The task neither makes nor changes them.
      - The host remembers them, with O(databases) and with those of O(secrets) that no other
        service lists, so that they can go when the service is taken away.
    type: list
    elements: path
    default: []
  retired_data:
    description:
      - What becomes of O(data), O(databases) and O(secrets) with O(state=absent), also of a service
        that was taken away before.
      - With V(remove) all of it is copied below C(/var/lib/homestead/retired), where only root
        reads it, in a directory for the day (UTC) and the service, and removed. If it cannot be
        copied, everything is put back.
    type: str
    choices: [keep, remove]
    default: keep
  healthy:
    description:
      - What must answer before a change counts, one after the other. Each has exactly one of
        O(healthy[].port), O(healthy[].name), O(healthy[].url), O(healthy[].socket) and
        O(healthy[].argv).
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description:
          - A port. Over TCP somebody must take connections, over UDP a program must have it.
        type: int
      protocol:
        description: The protocol of O(healthy[].port).
        type: str
        choices: [tcp, udp]
        default: tcp
      address:
        description: The address of O(healthy[].port) over TCP, or of a name server.
        type: str
        default: 127.0.0.1
      name:
        description:
          - A name of which the name server at O(healthy[].address) must know an IPv4 address.
        type: str
      url:
        description: A URL.
        type: str
      status:
        description: The HTTP status O(healthy[].url) must answer.
        type: int
        default: 200
      token:
        description:
          - The secret of the host with which O(healthy[].url) is asked, as a bearer token.
          - The request is then a POST of an empty JSON object, as the ping of an application
            service is.
        type: str
      socket:
        description: The path of a listening socket.
        type: path
      argv:
        description: A program and its arguments; it is healthy once this ends with success.
        type: list
        elements: str
      timeout:
        description: Seconds to wait.
        type: float
        default: 30
attributes:
  check_mode:
    description: Computes the same and writes nothing.
    support: full
  diff_mode:
    description: Shows files with placeholders in place of secrets.
    support: full
  platform:
    description: Debian with systemd.
    support: full
    platforms: debian
author:
  - The homestead.matrix founders (@homestead-matrix)
"""

EXAMPLES = r"""
- name: Run a program that is published as a file
  homestead.matrix.service:
    name: example
    programs:
      - path: /opt/example
        version: 1.2.3
        url: https://example.com/example-1.2.3.tar.gz
        sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        unpack: true
        strip: 1
    files:
      - {path: /etc/systemd/system/example.service, template: example.service.j2}
    units: [example.service]

- name: Run the TURN relay
  homestead.matrix.service:
    name: coturn
    packages: [coturn]
    groups: [homestead-tls]
    account: {name: turnserver, groups: [homestead-tls]}
    secrets: {turn: {length: 64}}
    files:
      - {path: /etc/turnserver.conf, template: turnserver.conf.j2, group: turnserver, mode: "0640"}
    watch:
      - {path: /etc/homestead/tls/matrix.example.com/fullchain.pem, on_change: reload}
    units: [coturn.service]
    healthy:
      - port: 3478
      - {port: 3478, protocol: udp}

- name: Publish a document through a web server that runs anyway
  homestead.matrix.service:
    name: well-known
    files:
      - path: /var/lib/homestead/well-known/server
        document: {m.server: "matrix.example.com:443"}
        format: json
      - path: /etc/nginx/conf.d/well-known.conf
        template: well-known.conf.j2
        on_change: {reload: [nginx.service]}
    validate:
      - argv: [nginx, -t]
"""

RETURN = r"""
msg:
  description: The last words of the program that failed, and what was put back.
  returned: failure
  type: str
packages:
  description: Packages that were installed, and those that are still missing (in check mode).
  returned: always
  type: dict
  sample: {installed: [coturn], missing: []}
files:
  description: Paths that were made or changed.
  returned: always
  type: list
  elements: str
removed:
  description: Paths that were removed; a database that was is C(database NAME).
  returned: always
  type: list
  elements: str
commands:
  description: Commands that ran.
  returned: always
  type: list
  elements: str
units:
  description:
    - What happened to each unit (started, restarted, reloaded, enabled, stopped or unchanged).
  returned: always
  type: dict
  sample: {coturn.service: restarted}
kept:
  description:
    - Files and links that somebody else wrote and that were replaced or removed, each with the path
      of its copy; what a package brought and nobody edited is none of them.
    - With O(retired_data=remove) the data that went, a database as C(database NAME).
    - Warnings tell of them too. The copies stay, below C(/var/lib/homestead/adopted) and
      C(/var/lib/homestead/retired).
  returned: always
  type: dict
  sample: {/etc/turnserver.conf: /var/lib/homestead/adopted/2026-11-28/etc/turnserver.conf}
public:
  description:
    - The public halves of O(secrets) that are keys, by their names; in check mode that of a key
      which is still to be made is made up.
  returned: always
  type: dict
  sample: {wireguard: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=}
diff:
  description: What changed, without secrets.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils.answers.service import answer
from ..module_utils.as_module import run
from ..module_utils.service.arguments import ARGUMENTS


def main() -> None:
    run(answer, ARGUMENTS)


if __name__ == "__main__":
    main()
