package inventory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"waptwua"
	"waptwua/applicability"
)

// Where Windows keeps what Servicing reads.
const (
	cbsPackages    = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages`
	currentVersion = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	targetingInfo  = currentVersion + `\Update\TargetingInfo\Installed`
	productOptions = `HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions`
)

var (
	errNoAttribute = errors.New("no source of this attribute is known")
	errNotListed   = errors.New("the registry lists no release of that name, which does not prove its absence")
)

// ReadServicing is the Servicing of a host by its registry:
//
//   - a package is the key of its identity below Component Based
//     Servicing\Packages, with its CurrentState;
//   - a release is the key of its name below TargetingInfo\Installed, with its
//     Version. Only releases of an operating system are known to be absent,
//     where another one is listed;
//   - the attributes OSVersion, OSSkuId and sku follow from the operating
//     system, ProductType, CurrentBranch and InstallationType from values of
//     that name. Others are unknown.
func ReadServicing(r Registry, p Platform) Servicing { return servicing{r, p} }

type servicing struct {
	registry Registry
	platform Platform
}

func (s servicing) Package(ctx context.Context, identity string) (*applicability.Package, error) {
	if err := s.child(ctx, cbsPackages, identity); err != nil {
		return nil, err
	}
	v, err := s.registry.Value(ctx, cbsPackages+`\`+identity, "CurrentState")
	switch {
	case err != nil:
		return nil, fmt.Errorf("CurrentState: %w", hidden(err))
	case v.Type != applicability.RegDWORD:
		return nil, fmt.Errorf("CurrentState is a %s", v.Type)
	}
	return &applicability.Package{State: int(v.Number)}, nil
}

// child returns nil when a key has a sub-key. A key that is missing itself
// proves nothing.
func (s servicing) child(ctx context.Context, parent, name string) error {
	if strings.Contains(name, `\`) {
		return fmt.Errorf("%q is not the name of a key", name)
	}
	if err := s.registry.Key(ctx, parent); err != nil {
		return fmt.Errorf("%s: %w", parent, hidden(err))
	}
	return s.registry.Key(ctx, parent+`\`+name)
}

// hidden is err, without its saying that the thing asked about is absent: it
// is about another one.
func hidden(err error) error {
	if errors.Is(err, waptwua.ErrNotFound) {
		return errors.New(err.Error())
	}
	return err
}

func (s servicing) Release(ctx context.Context, name string) (string, error) {
	err := s.child(ctx, targetingInfo, name)
	if errors.Is(err, waptwua.ErrNotFound) {
		return "", s.otherRelease(ctx, name)
	}
	if err != nil {
		return "", err
	}
	version, err := s.text(ctx, targetingInfo+`\`+name, "Version")
	if err != nil {
		return "", err
	}
	if _, err := applicability.ParseVersion(version); err != nil {
		return "", err
	}
	return version, nil
}

// otherRelease is why a release is not listed: of operating systems a
// computer has one.
func (s servicing) otherRelease(ctx context.Context, name string) error {
	listed, err := s.registry.Subkeys(ctx, targetingInfo)
	if err != nil {
		return hidden(err)
	}
	for _, path := range listed {
		if isOSRelease(name) && isOSRelease(path[strings.LastIndexByte(path, '\\')+1:]) {
			return waptwua.ErrNotFound
		}
	}
	return errNotListed
}

// isOSRelease tells whether a release is an operating system's, as
// Client.OS.RS2.AMD64 and Server.OS.amd64 are.
func isOSRelease(name string) bool {
	parts := strings.Split(strings.ToLower(name), ".")
	return len(parts) > 1 && parts[1] == "os"
}

func (s servicing) text(ctx context.Context, path, name string) (string, error) {
	v, err := s.registry.Value(ctx, path, name)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, hidden(err))
	case v.Type != applicability.RegSZ:
		return "", fmt.Errorf("%s is a %s", name, v.Type)
	}
	return v.Text, nil
}

func (s servicing) Attribute(ctx context.Context, name string) (string, error) {
	switch strings.ToLower(name) {
	case "osversion", "osskuid", "sku":
		return s.system(ctx, strings.ToLower(name))
	case "producttype":
		return s.text(ctx, productOptions, "ProductType")
	case "currentbranch":
		return s.text(ctx, currentVersion, "BuildBranch")
	case "installationtype":
		return s.text(ctx, currentVersion, "InstallationType")
	}
	return "", errNoAttribute
}

func (s servicing) system(ctx context.Context, name string) (string, error) {
	id, err := s.platform.Identity(ctx)
	switch {
	case id.OS == nil:
		return "", fmt.Errorf("operating system: %w", errors.Join(errNotRecorded, err))
	case name == "osversion":
		return fmt.Sprintf("%d.%d.%d.%d", id.OS.Major, id.OS.Minor, id.OS.Build, id.OS.Revision), nil
	case id.OS.SKU == 0:
		return "", errors.New("the SKU is not known")
	}
	return strconv.Itoa(id.OS.SKU), nil
}
