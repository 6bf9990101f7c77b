// A file of its own, because an old Node can't parse import().
"use strict"
import("./main.js")
