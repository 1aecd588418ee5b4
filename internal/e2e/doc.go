// Package e2e looks at the pages of the programs as their readers do: in a browser,
// light and dark, on a desk and on a phone, on paper, and through the eyes of
// axe-core, the Nu validator and feed readers. It is a module of its own, never
// tagged, so that the driver of the browser reaches no importer of the library.
//
// The browser is Chromium of the system or $CHROME_BIN. axe-core and the validator
// are not part of the repository: $AXE_JS is the path of axe.min.js and $VNU_JAR
// that of vnu.jar. EVENKEEL_SHOTS=DIR keeps a picture of every view,
// and EVENKEEL_PICTURES=1 takes those of the README anew.
package e2e
