// Package credentials keeps what the command needs to speak to hosts: a token for each, in one file of the
// user's configuration folder that nobody else may read, or in the environment.
//
// It does not check tokens (that is the host's) and never shows them: a [Secret] prints as [secret].
package credentials
