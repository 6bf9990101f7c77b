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

published() { # a field of a version on the registry; nothing where the version is not there
  npm view "effect-lume@$1" "$2" 2>/dev/null || true
}

publish() { # what to publish, its version, its dist-tag
  if [ -n "$(published "$2" version)" ]; then
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
if [ -n "$from" ] && [ "$from" != "$(git rev-parse HEAD)" ] && [ -z "$(published "$second_version" version)" ]; then
  echo "effect-lume@$version was published from $from: publish $second_version from there" >&2
  exit 1
fi

publish . "$version" effect-3
publish "$second" "$second_version" latest
npx changeset tag
