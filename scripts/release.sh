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

publish() { # what to publish, its version, its dist-tag
  if [ -n "$(npm view "effect-lume@$2" version 2>/dev/null || true)" ]; then
    echo "effect-lume@$2 is published already"
  else
    npm publish "$1" --tag "$3" --access public
  fi
}

version=$(node -p 'require("./package.json").version')
second=$(npm run --silent effect-4 | tail -n 1)

# both majors of a version come from one commit, whoever else releases meanwhile
from=$(npm view "effect-lume@$version" gitHead 2>/dev/null || true)
if [ -n "$from" ] && [ "$from" != "$(git rev-parse HEAD)" ]; then
  echo "effect-lume@$version was published from $from, and the other major is to be: nothing is done"
  exit 0
fi

publish . "$version" effect-3
publish "$second" "$(tar -xOf "$second" package/package.json | node -p 'JSON.parse(require("fs").readFileSync(0)).version')" latest
npx changeset tag
