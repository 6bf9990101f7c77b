// From CommonJS: prints what the client's layer is, and whether both ways to it lead to the same.
const { LumeClient } = require("effect-lume")
const sameClient = require("effect-lume/LumeClient")

console.log(typeof LumeClient.layer, sameClient.LumeClient === LumeClient.LumeClient)
