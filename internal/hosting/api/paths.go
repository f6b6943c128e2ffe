package api

import "net/url"

// Revision is the version of this contract, which Whoami carries. It changes when an
// old client would misunderstand a new server.
const Revision = 1

// Paths that name no app.
const (
	WhoamiPath = "/v1/whoami"
	TokensPath = "/v1/tokens"
	AppsPath   = "/v1/apps"
)

// Ends of the paths of an app, for AppPath.
const (
	PlanPath      = "plan"
	DeployPath    = "deploy"
	RollbackPath  = "rollback"
	RestartPath   = "restart"
	VersionsPath  = "versions"
	EnvPath       = "env"
	EnvValuesPath = "env/values"
	DomainsPath   = "domains"
	LogsPath      = "logs"
	RoomPath      = "room"
	BackupsPath   = "backups"
)

// Types of bodies.
const (
	JSONType   = "application/json"
	StreamType = "application/x-ndjson"
	BytesType  = "application/octet-stream"
)

// TokenPath is the path of a token, by its Token.ID.
func TokenPath(id string) string { return TokensPath + "/" + url.PathEscape(id) }

// AppPath is the path of an app, or of what end names below it.
func AppPath(app, end string) string {
	path := AppsPath + "/" + url.PathEscape(app)
	if end != "" {
		path += "/" + end
	}
	return path
}

// BlobPath is where the bytes with a hash go, 64 lower-case hexadecimal digits.
func BlobPath(app, sha256 string) string { return AppPath(app, "blobs/"+url.PathEscape(sha256)) }

// EnvVarPath is the path of one variable.
func EnvVarPath(app, name string) string { return AppPath(app, EnvPath+"/"+url.PathEscape(name)) }

// BackupFilePath is the path of a backup, by its Backup.ID.
func BackupFilePath(app, id string) string { return AppPath(app, BackupsPath+"/"+url.PathEscape(id)) }

// RestorePath is where a backup is made the stored state.
func RestorePath(app, id string) string { return BackupFilePath(app, id) + "/restore" }

// RoomQuery names a room in the query of RoomPath.
func RoomQuery(party, room string) url.Values { return url.Values{"party": {party}, "room": {room}} }
