package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Errors of the methods below are *api.Problem if the host has answered.

// Whoami says whose token it is.
func (c *Client) Whoami(ctx context.Context) (out api.Whoami, err error) {
	return out, c.call(ctx, http.MethodGet, api.WhoamiPath, nil, nil, &out)
}

// Tokens lists all tokens.
func (c *Client) Tokens(ctx context.Context) (out []api.Token, err error) {
	return out, c.call(ctx, http.MethodGet, api.TokensPath, nil, nil, &out)
}

// NewToken makes a token.
func (c *Client) NewToken(ctx context.Context, n api.NewToken) (out api.TokenMade, err error) {
	return out, c.call(ctx, http.MethodPost, api.TokensPath, nil, n, &out)
}

// RevokeToken ends a token, by its ID.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, api.TokenPath(id), nil, nil, nil)
}

// Apps lists the apps that the token may see.
func (c *Client) Apps(ctx context.Context) (out []api.App, err error) {
	return out, c.call(ctx, http.MethodGet, api.AppsPath, nil, nil, &out)
}

// Info is all about an app.
func (c *Client) Info(ctx context.Context, app string) (out api.AppInfo, err error) {
	return out, c.call(ctx, http.MethodGet, api.AppPath(app, ""), nil, nil, &out)
}

// Delete deletes an app; with purge without keeping a backup on the host.
func (c *Client) Delete(ctx context.Context, app string, purge bool) (out api.Deleted, err error) {
	query := make(url.Values)
	if purge {
		query.Set("purge", "true")
	}
	return out, c.call(ctx, http.MethodDelete, api.AppPath(app, ""), query, nil, &out)
}

// Versions lists the versions of an app.
func (c *Client) Versions(ctx context.Context, app string) (out []api.Version, err error) {
	return out, c.call(ctx, http.MethodGet, api.AppPath(app, api.VersionsPath), nil, nil, &out)
}

// EnvNames lists an app's variables, without values.
func (c *Client) EnvNames(ctx context.Context, app string) (out api.EnvNames, err error) {
	return out, c.call(ctx, http.MethodGet, api.AppPath(app, api.EnvPath), nil, nil, &out)
}

// EnvValues are an app's variables.
func (c *Client) EnvValues(ctx context.Context, app string) (out api.Env, err error) {
	return out, c.call(ctx, http.MethodGet, api.AppPath(app, api.EnvValuesPath), nil, nil, &out)
}

// SetEnv sets variables; others stay.
func (c *Client) SetEnv(ctx context.Context, app string, vars map[string]string) (out api.EnvNames, err error) {
	return out, c.call(ctx, http.MethodPatch, api.AppPath(app, api.EnvPath), nil, api.Env{Vars: vars}, &out)
}

// RemoveEnv removes one variable.
func (c *Client) RemoveEnv(ctx context.Context, app, name string) (out api.EnvNames, err error) {
	return out, c.call(ctx, http.MethodDelete, api.EnvVarPath(app, name), nil, nil, &out)
}

// ReplaceEnv makes these an app's only variables.
func (c *Client) ReplaceEnv(ctx context.Context, app string, vars map[string]string) (out api.EnvNames, err error) {
	return out, c.call(ctx, http.MethodPut, api.AppPath(app, api.EnvPath), nil, api.Env{Vars: vars}, &out)
}

// Backups lists an app's backups on the host.
func (c *Client) Backups(ctx context.Context, app string) (out []api.Backup, err error) {
	return out, c.call(ctx, http.MethodGet, api.AppPath(app, api.BackupsPath), nil, nil, &out)
}

// NewBackup makes a backup on the host.
func (c *Client) NewBackup(ctx context.Context, app string) (out api.Backup, err error) {
	return out, c.call(ctx, http.MethodPost, api.AppPath(app, api.BackupsPath), nil, nil, &out)
}

// DeleteBackup removes a backup from the host.
func (c *Client) DeleteBackup(ctx context.Context, app, id string) error {
	return c.call(ctx, http.MethodDelete, api.BackupFilePath(app, id), nil, nil, nil)
}

// Plan says what a deploy would change.
func (c *Client) Plan(ctx context.Context, app string, r api.DeployRequest) (out api.Plan, err error) {
	return out, c.call(ctx, http.MethodPost, api.AppPath(app, api.PlanPath), nil, r, &out)
}
