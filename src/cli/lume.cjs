#!/usr/bin/env node
// The first file that runs. It parses on every Node, so that an old one is refused with a sentence.
"use strict"
var parts = process.versions.node.split(".").map(Number)
var major = parts[0]
var minor = parts[1]
if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) {
  require("./start.cjs")
} else {
  process.stderr.write(
    "lume needs Node 22.12 or later, or 20.19 or later of Node 20; this is Node " + process.versions.node + ".\n"
  )
  process.exitCode = 1
}
