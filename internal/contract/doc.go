// Package contract checks the requests of the adapters against the OpenAPI
// documents of the vendors. It is a module of its own, never tagged, so that the
// validator reaches no importer of the library.
//
// The documents are not part of the repository; tests that need one that is not
// there say so and are skipped.
package contract
