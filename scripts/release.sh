#!/usr/bin/env bash
# Publishes what this repository is at: 1.x for Effect 3, and 2.x for Effect 4, which is generated from it. A version that
# is there already is left alone, so that a release that broke off can be run again. Tags what is published.
set -euo pipefail
cd "$(dirname "$0")/.."

# what is published is what is tagged
if [ -n "$(git status --porcelain)" ]; then
  echo "commit what has changed first: the tag would be of something else than what is published" >&2
  exit 1
fi

said=$(mktemp)
trap 'rm -f "$said"' EXIT

published() { # a field of a version on the registry; nothing where the version is not there
  if ! npm view "effect-lume@$1" "$2" 2>"$said" && ! grep -q E404 "$said"; then
    # what the registry has is not known, and nothing is published on a guess
    cat "$said" >&2
    return 1
  fi
}

publish() { # what to publish, its version, its dist-tag
  local there
  there=$(published "$2" version)
  if [ -n "$there" ]; then
    echo "effect-lume@$2 is published already"
  else
    npm publish "$1" --tag "$3" --access public
  fi
}

version=$(node -p 'require("./package.json").version')
second=$(npm run --silent effect-4 | tail -n 1)
second_version=$(tar -xOf "$second" package/package.json | node -p 'JSON.parse(require("fs").readFileSync(0)).version')

# both majors of a version come from one commit, whoever else releases meanwhile
from=$(published "$version" gitHead)
second_there=$(published "$second_version" version)
if [ -n "$from" ] && [ "$from" != "$(git rev-parse HEAD)" ] && [ -z "$second_there" ]; then
  echo "effect-lume@$version was published from $from: publish $second_version from there" >&2
  exit 1
fi

publish . "$version" effect-3
publish "$second" "$second_version" latest
npx changeset tag
