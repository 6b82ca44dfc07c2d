package text

// Key names a text.
type Key int

// The keys, in the order of the catalogue.
const (
	// General.
	Product Key = iota
	SkipToContent
	Navigation
	AsOf
	Ago
	Ahead
	JustNow
	Days
	Never
	Unknown
	None
	Yes
	No
	LanguageSwitch
	Live
	LivePause
	LiveResume
	LiveLost

	// Navigation.
	NavOverview
	NavHosts
	NavUpdates
	NavDownloads
	NavRuns
	NavRules

	// Account.
	SignIn
	SignInDo
	SignInLead
	SignInWrong
	SignInTooMany
	SignInNeeded
	SignOut
	SignedOut
	UserName
	Password
	SignInHelp
	ChangePassword
	ChangeFirst
	PasswordOld
	PasswordNew
	PasswordAgain
	PasswordHint
	PasswordDiffers
	PasswordRefused
	PasswordChanged

	// Overview.
	FleetTitle
	Compliant
	CompliantHint
	Wanting
	WantingHint
	Silent
	SilentHint
	NeverScanned
	NeverScannedHint
	ScanFailed
	ScanFailedHint
	Awaiting
	AwaitingHint
	Refused
	RefusedHint
	AllHosts
	CompliantOf
	KnownOf
	FleetBar
	NoHosts
	NoHostsHelp
	ArchiveTitle
	ArchiveCreated
	ArchivePublished
	ArchiveChecked
	ArchiveSigner
	ArchiveSigned
	ArchiveDigest
	ArchiveLoading
	ArchiveFailed
	NoArchive
	NoArchiveHelp
	UpdatesTitle
	UpdatesOnHosts
	FilesTitle
	FilesNeeded
	FilesMissing
	FilesPresent
	FilesCount
	AttentionTitle
	AttentionNone
	AttentionErrors
	AttentionReboot
	AttentionScanFailed
	AttentionSilent
	AttentionAwaiting
	AttentionNeverScanned
	AttentionFilesError
	AttentionArchiveOld
	AttentionArchiveError
	AttentionNoArchive

	// Actions.
	FetchNow
	FetchAsked
	FetchRuns
	Approve
	Refuse
	HostApproved
	HostRefused

	// Lists.
	Search
	Filter
	Clear
	Any
	Shown
	Previous
	Next
	Pages
	NothingMatches
	NothingMatchesHelp
	SortBy

	// Hosts.
	HostsTitle
	HostsSearch
	HostsHas
	HostsReported
	HostsOfUpdate
	ColStatus
	ColHost
	ColOS
	ColReport

	// Host.
	Identity
	UUID
	Version
	Architecture
	EnrolledOn
	LastSeen
	CertificateEnds
	AgentTitle
	AgentVersion
	WUAVersion
	LastAction
	ActionFailed
	InstallWindow
	RebootWhy
	ScanTitle
	ScanAt
	ScanTook
	ScanArchive
	ScanOldArchive
	ScanRemedyNever
	Remedy
	Attempts
	SettingsTitle
	SettingsNone
	SettingsProblems
	RulesOnHost
	RulesOnHostNone
	RuleRefused
	RuleLastGood
	RuleAccepted
	HostUpdatesTitle
	HostNoUpdates
	HostNoUpdatesHelp
	HostUpdatesLimit
	ColUpdate
	ColWhy
	ColResult
	UpdateSearch
	InstalledAt
	VerifiedAt
	OnHostCache
	RestartLoop
	RestartDue
	RestartAnnounced
	RestartForced
	RestartUntil
	RestartSnoozed

	// Steps of an update on a host.
	StepsTitle
	PhaseNeeded
	PhaseDownloading
	PhaseDownloaded
	PhaseInstalling
	PhaseWaiting
	PhaseVerified
	PhaseFailed
	PhaseRolledBack
	NoteInterrupted
	WayTakesFiles
	WayOtherFiles
	WaySingleMSU
	WaySeveralPackages
	WayCabinet

	// Verdicts.
	WhyForbidden
	WhyAllowed
	WhyClause
	WhyNotAllowed
	WhyDefault
	WhyHeld
	WhyUntil

	// Updates.
	UpdatesSearch
	ColKB
	ColTitle
	ColSeverity
	ColClass
	ColProduct
	ColPublished
	ColSize
	ColNeeded
	ColDownloaded
	NotOnServer
	NoFiles
	Unrated
	FilterFiles
	FilterPresent
	FilterAbsent
	FilterStatus
	HostsCount
	NoUpdates
	NoUpdatesHelp
	NotDescribed

	// One update.
	UpdateAbout
	UpdateIDLabel
	UpdateType
	RebootBehaviour
	RebootNever
	RebootAlways
	RebootMaybe
	Handler
	SeenOn
	Bulletins
	CVEs
	Exclusive
	MoreInfo
	UpdateHosts
	UpdateNoHosts
	UpdateFiles
	UpdateNoFiles
	UpdateFilesUnknown
	ColFile
	FileTryAgain
	AllHostsOfUpdate

	// Downloads and runs.
	DownloadsTitle
	RunsTitle
	ColState
	ColReason
	ColProgress
	ColSpeed
	ColStarted
	ColFinished
	ColOutcome
	ColJob
	Attempt
	ProgressOf
	NoDownloads
	NoDownloadsHelp
	NoRuns
	NoRunsHelp
	JobArchive
	JobFiles
	JobCleanUp
	JobExpiry
	StatePending
	StateRunning
	StateFinished
	StateSkipped
	StateFailed
	StateInterrupted

	// Rules.
	RulesTitle
	RulesLead
	ColPackage
	ColSigner
	ColVersion
	ColUploaded
	ColDigest
	SignatureChecked
	SignatureNotChecked
	UploadedBy
	RulesShow
	RulesUpload
	RulesUploadDo
	RulesFile
	RulesHelp
	RulesUploaded
	RulesRemoved
	RulesRefused
	RulesRefusedTrust
	RulesRefusedOld
	RulesRefusedShape
	RulesRefusedLarge
	RulesNoFile
	RulesRemove
	RulesRemoveOf
	RulesNeedAdmin
	NoRules
	NoRulesHelp

	// Errors.
	ErrorNotFound
	ErrorNotFoundHelp
	ErrorInvalid
	ErrorForbidden
	ErrorForbiddenHelp
	ErrorCrossOrigin
	ErrorServer
	ErrorServerHelp
	BackToOverview

	// Statuses of updates, as sentences.
	MeansOK
	MeansPending
	MeansMissing
	MeansDiscarded
	MeansReboot
	MeansError
	MeansSuperseded
	MeansHostOK
	MeansHostPending
	MeansHostScanning
	MeansHostDownloading
	MeansHostInstalling
	MeansHostReboot
	MeansHostError

	keys // how many there are
)
