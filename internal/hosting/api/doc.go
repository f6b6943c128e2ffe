// Package api is what "party host" and its clients say to each other: paths, questions, answers, events and
// error codes. It is plain data and the rules for names; it knows no files, no sockets and no policy.
//
// Every path is below https://ADMINHOST. A question carries "Authorization: Bearer TOKEN" and, if it has a
// body, JSON (a blob, a room and a backup are bytes). Answers are JSON, or a JSON object a line
// (application/x-ndjson) where something goes on: Deploy, Rollback and Logs. An answer that is not 2xx
// is a Failure. Unknown fields are ignored by both sides, so that either may be newer.
//
//	GET    /v1/whoami                           Whoami          any token
//	GET    /v1/tokens                           []Token         admin
//	POST   /v1/tokens           NewToken        TokenMade       admin
//	DELETE /v1/tokens/{id}                      204             admin
//	GET    /v1/apps                             []App           those that the token may read
//	GET    /v1/apps/{app}                       AppInfo         read
//	DELETE /v1/apps/{app}       ?purge=true     Deleted         deploy; with purge: admin
//	PATCH  /v1/apps/{app}       Settings        Settings        admin; what is absent stays
//	HEAD   /v1/apps/{app}/blobs/{sha256}        200 or 404      deploy
//	PUT    /v1/apps/{app}/blobs/{sha256} bytes  204             deploy
//	POST   /v1/apps/{app}/plan  DeployRequest   Plan            deploy
//	POST   /v1/apps/{app}/deploy DeployRequest  Event a line    deploy; with vars also env
//	POST   /v1/apps/{app}/rollback RollbackRequest Event a line deploy
//	POST   /v1/apps/{app}/restart               Event a line    deploy
//	GET    /v1/apps/{app}/versions              []Version       read
//	GET    /v1/apps/{app}/env                   EnvNames        env
//	GET    /v1/apps/{app}/env/values            Env             env
//	PATCH  /v1/apps/{app}/env   Env             EnvNames        env; what is absent stays
//	PUT    /v1/apps/{app}/env   Env             EnvNames        env; what is absent goes
//	DELETE /v1/apps/{app}/env/{name}            EnvNames        env
//	GET    /v1/apps/{app}/domains               Domains         read
//	PUT    /v1/apps/{app}/domains Domains       Domains         deploy
//	GET    /v1/apps/{app}/logs  see LogQuery    LogLine a line  read
//	GET    /v1/apps/{app}/room  ?party=&room=   bytes           data
//	PUT    /v1/apps/{app}/room  ?party=&room=&replace= bytes  204 data
//	GET    /v1/apps/{app}/backups               []Backup        read
//	POST   /v1/apps/{app}/backups               Backup          data
//	GET    /v1/apps/{app}/backups/{id}          bytes           data
//	DELETE /v1/apps/{app}/backups/{id}          204             admin
//	POST   /v1/apps/{app}/backups/{id}/restore  Event a line    admin
//
// The {app} is what InstanceName returns. Deploying to a name that is not there makes the app.
package api
