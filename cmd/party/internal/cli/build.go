package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/buildstep"
	"github.com/goparty-dev/party/internal/deployfiles"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/image"
	"github.com/goparty-dev/party/internal/scaffold"
)

type buildOptions struct {
	place  string
	output string
	system string
	arch   string
	image  string
	push   bool
	sbom   bool
	emit   string
}

func newBuild(s *streams) *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build [server.go|dir]",
		Short: "Make one static binary",
		Long: `build makes one static binary with the manifest and the assets in it. It needs
nothing else to run:

  ./chat --addr :8080 --data ./data

It is named after the project and is written into the project's folder, unless -o
says otherwise. The same sources give the same bytes.

With --image it is packed into an OCI image instead, an archive that docker load and
others read, or with --push is sent to the registry in its name, with the credentials
of docker login; no container engine is needed.

With --sbom a bill of materials is written beside the result as NAME.cdx.json: the
Go modules and npm packages in it, in CycloneDX's JSON. A pushed image has it attached.

With --emit nothing is built: a file by which another tool runs the server is shown, or
written with -o.`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.place = args[0]
			}
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context(), s)
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "the `file` to write, or the folder for it")
	cmd.Flags().StringVar(&o.image, "image", "", "pack an OCI image with this `NAME[:TAG]`")
	cmd.Flags().BoolVar(&o.push, "push", false, "send the image to its registry instead of writing it to a file")
	cmd.Flags().BoolVar(&o.sbom, "sbom", false, "write a bill of materials as well")
	cmd.Flags().StringVar(&o.emit, "emit", "", "show a deployment file instead: `KIND` is one of "+strings.Join(deployfiles.Kinds(), ", "))
	cmd.Flags().StringVar(&o.system, "os", "", "operating system to build for, as in GOOS (default: this one)")
	cmd.Flags().StringVar(&o.arch, "arch", "", "architecture to build for, as in GOARCH (default: this one)")
	return cmd
}

func (o *buildOptions) validate(cmd *cobra.Command) error {
	if o.image != "" {
		if o.emit != "" {
			return usagef(cmd, "--image and --emit exclude each other")
		}
		if _, err := image.Tag(o.image); err != nil {
			return usagef(cmd, "%v", err)
		}
		if o.system != "" && o.system != "linux" {
			return usagef(cmd, "--image is for linux, not for %s", o.system)
		}
		o.system = "linux"
	}
	if o.push && o.image == "" {
		return usagef(cmd, "--push needs --image NAME[:TAG]")
	}
	if o.push && o.output != "" {
		return usagef(cmd, "--push and --output exclude each other")
	}
	if o.sbom && o.emit != "" {
		return usagef(cmd, "--sbom and --emit exclude each other")
	}
	if o.emit != "" && !slices.Contains(deployfiles.Kinds(), o.emit) {
		e := usagef(cmd, "there is no deployment file for %q", o.emit)
		e.hint = "there is " + strings.Join(deployfiles.Kinds(), ", ")
		return e
	}
	return nil
}

func (o *buildOptions) run(ctx context.Context, s *streams) error {
	p, err := findProject(o.place)
	if err != nil {
		return err
	}
	switch {
	case o.emit != "":
		return o.writeDeployFile(s, p)
	case o.image != "":
		return o.buildImage(ctx, s, p)
	}
	output, err := o.outputFile(p)
	if err != nil {
		return err
	}
	bundled, err := o.build(ctx, s, p, output)
	if err != nil || !o.sbom {
		return err
	}
	bill, err := materials(p, output, bundled)
	if err != nil {
		return err
	}
	return writeBill(s, output, bill)
}

// build makes the binary, from the build command on, and says so. It returns the files that went into
// browser code.
func (o *buildOptions) build(ctx context.Context, s *streams, p *project, output string) (bundled []string, err error) {
	return o.buildAs(ctx, s, p, output, shown(output))
}

// buildAs is build of a binary that is spoken of by a name.
func (o *buildOptions) buildAs(ctx context.Context, s *streams, p *project, output, name string) (bundled []string, err error) {
	began := time.Now()
	if err := p.runBuildCommand(ctx, s); err != nil {
		return nil, err
	}
	if bundled, err = p.bundleForProgram(ctx, s); err != nil {
		return nil, err
	}
	res, err := p.generateProgram()
	if err != nil {
		return nil, err
	}
	if _, err := s.write(res); err != nil {
		return nil, err
	}
	if err := o.goBuild(ctx, s, p, output); err != nil {
		return nil, err
	}
	info, err := os.Stat(output)
	if err != nil {
		return nil, fmt.Errorf("look at the binary: %w", err)
	}
	s.printf("Built %s: %s, %s/%s, in %s\n", name, megabytes(info.Size()), o.targetOS(), o.targetArch(), time.Since(began).Round(10*time.Millisecond))
	return bundled, nil
}

func (o *buildOptions) targetOS() string {
	return cmp.Or(o.system, os.Getenv("GOOS"), runtime.GOOS)
}

func (o *buildOptions) targetArch() string {
	return cmp.Or(o.arch, os.Getenv("GOARCH"), runtime.GOARCH)
}

// name is what the project's binary is called.
func (p *project) name() string {
	return cmp.Or(p.manifest.Name, scaffold.CleanName(filepath.Base(p.root())))
}

// outputFile is where the binary goes, absolute.
func (o *buildOptions) outputFile(p *project) (string, error) {
	name := p.name()
	if o.targetOS() == "windows" {
		name += ".exe"
	}
	return o.outputPath(p, name)
}

// outputPath is where a file goes that is called name unless -o says otherwise, absolute.
func (o *buildOptions) outputPath(p *project, name string) (string, error) {
	if o.output == "" {
		return filepath.Join(p.root(), name), nil
	}
	path, err := filepath.Abs(o.output)
	if err != nil {
		return "", fmt.Errorf("find the output file: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() || os.IsPathSeparator(o.output[len(o.output)-1]) {
		path = filepath.Join(path, name)
	}
	return path, nil
}

func (o *buildOptions) goBuild(ctx context.Context, s *streams, p *project, output string) error {
	flags, err := p.ldflags()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags="+flags, "-o", output, ".")
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+o.targetOS(), "GOARCH="+o.targetArch())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return errors.New("the build was interrupted")
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the go command is not on the PATH; party needs it to build programs")
	case err == nil:
		return nil
	}
	list, rest := diag.ParseGo(out.String(), p.dir)
	s.report(list)
	if rest != "" {
		fmt.Fprintln(s.err, rest)
	}
	if len(list) == 0 && rest == "" {
		return fmt.Errorf("go build: %w", err)
	}
	return errReported
}

// ldflags leave out what only debuggers need, and set the manifest's define.
func (p *project) ldflags() (string, error) {
	words, list := buildstep.Definitions(p.manifest)
	if list.HasErrors() {
		return "", list
	}
	return buildstep.LinkFlags(words), nil
}

// runBuildCommand runs the command that the manifest wants before a build.
func (p *project) runBuildCommand(ctx context.Context, s *streams) error {
	_, list, err := buildstep.Run(ctx, p.manifest, s.err)
	if err == nil && list.HasErrors() {
		return list
	}
	return err
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
