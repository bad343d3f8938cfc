#!/usr/bin/env node
// Old syntax and no static import: this file must be readable by whatever Node starts it, to say what is missing.
var oldest = [22, 19];
var found = process.versions.node.split(".").map(Number);
if (found[0] < oldest[0] || (found[0] === oldest[0] && found[1] < oldest[1])) {
  console.error(
    "ponderosa needs Node " +
      oldest.join(".") +
      " or newer: this is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      ")",
  );
  process.exitCode = 2;
} else {
  // In the repository always the source, so that a stale build is never run; the published package has no src/.
  import("node:fs")
    .then(function (fs) {
      var source = new URL("../src/cli/main.ts", import.meta.url);
      return import(fs.existsSync(source) ? source.href : new URL("../dist/cli/main.js", import.meta.url).href);
    })
    .then(function (main) {
      return main.start(process.argv.slice(2));
    })
    .catch(function (error) {
      console.error(error);
      process.exitCode = 1;
    });
}
