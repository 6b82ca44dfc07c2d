package installer

import (
	"bytes"
	"debug/pe"
	"errors"
	"fmt"
	"strings"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"
)

// maxProgram bounds the program, in bytes.
const maxProgram = 256 << 20

// checkProgram refuses what is not the agent for the platform in this
// version. The version is only looked for as a text: the program cannot be
// run here.
func checkProgram(program []byte, p Platform, version string) error {
	if len(program) > maxProgram {
		return fmt.Errorf("the program has %d bytes, at most %d", len(program), maxProgram)
	}
	f, err := pe.NewFile(bytes.NewReader(program))
	if err != nil {
		return fmt.Errorf("the program is not a Windows program: %w", err)
	}
	machines := map[uint16]Platform{pe.IMAGE_FILE_MACHINE_AMD64: AMD64, pe.IMAGE_FILE_MACHINE_ARM64: ARM64}
	if got := machines[f.Machine]; got != p {
		return fmt.Errorf("the program is for machine type 0x%x, not for %s", f.Machine, p)
	}
	if !bytes.Contains(program, []byte(strings.TrimPrefix(version, "v"))) {
		return fmt.Errorf("the program does not hold the version %s; give the right one with --version (wapt-get version prints it)", version)
	}
	return nil
}

// Stamp gives a Windows program a version resource, beside the resources it
// has. A program that is signed already is returned as it is when it has
// one, and refused when not: the stamp would break its signature.
func Stamp(program []byte, v string) ([]byte, error) {
	number, err := NumericVersion(v)
	if err != nil {
		return nil, err
	}
	signed, err := winres.IsSignedEXE(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	set, err := winres.LoadFromEXE(bytes.NewReader(program))
	if err != nil && !errors.Is(err, winres.ErrNoResources) {
		return nil, fmt.Errorf("reading the program's resources: %w", err)
	}
	if signed {
		if set == nil || !hasVersion(set, number) {
			return nil, fmt.Errorf("the program is signed, but its version resource does not say %s; give the program before it was signed", number)
		}
		return program, nil
	}
	if set == nil {
		set = &winres.ResourceSet{}
	}
	info, err := versionInfo(v, number)
	if err != nil {
		return nil, err
	}
	set.SetVersionInfo(*info)
	var out bytes.Buffer
	if err := set.WriteToEXE(&out, bytes.NewReader(program)); err != nil {
		return nil, fmt.Errorf("writing the program's version resource: %w", err)
	}
	return out.Bytes(), nil
}

const english = 0x409

func versionInfo(v, number string) (*version.Info, error) {
	var info version.Info
	info.SetFileVersion(number + ".0")
	info.SetProductVersion(number + ".0")
	for key, value := range map[string]string{
		version.ProductName: productName, version.FileDescription: productName, version.CompanyName: manufacturer,
		version.OriginalFilename: "wapt-get.exe", version.ProductVersion: strings.TrimPrefix(v, "v"), version.FileVersion: number + ".0",
	} {
		if err := info.Set(english, key, value); err != nil {
			return nil, fmt.Errorf("version resource: %s: %w", key, err)
		}
	}
	return &info, nil
}

func hasVersion(set *winres.ResourceSet, number string) bool {
	var parts [4]uint16
	if _, err := fmt.Sscanf(number, "%d.%d.%d", &parts[0], &parts[1], &parts[2]); err != nil {
		return false
	}
	found := false
	set.WalkType(winres.RT_VERSION, func(_ winres.Identifier, _ uint16, data []byte) bool {
		info, err := version.FromBytes(data)
		found = err == nil && info.FileVersion == parts
		return !found
	})
	return found
}
