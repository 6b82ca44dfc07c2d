package dialog

import (
	"fmt"
	"strings"
	"time"
)

// Language is a language of the dialogs.
type Language int

// The languages.
const (
	English Language = iota
	French
)

// LanguageOf is the language for a name such as fr-FR or fr_CA.UTF-8;
// English for all that are not spoken here.
func LanguageOf(locale string) Language {
	primary := strings.ToLower(locale)
	if i := strings.IndexAny(primary, "-_.@"); i >= 0 {
		primary = primary[:i]
	}
	if primary == "fr" || primary == "french" || primary == "français" {
		return French
	}
	return English
}

// words are the texts of one language. Those with verbs of package fmt say
// so in their name.
type words struct {
	updates, restart string // titles of windows

	exitHeading, exitHeadingOne string // with the number of updates
	exitText, skip              string
	countdownIn                 string // with a time
	install, notNow, wait       string
	installing, doNotSwitchOff  string
	stopping, stoppingText      string
	scanStep, downloadStep      string // with percent
	installStep                 string
	done, doneText, failed      string // failed with the reason
	closeButton                 string

	restartHeading, restartAgain string
	restartText, forcedAt        string // forcedAt with a moment
	leftNone, leftOne, leftMany  string // leftMany with a number
	restartNow, later            string // later with a duration
	countHeading, countText      string
	moment, dayNames, monthNames string
	units                        [3][2]string // day, hour, minute: one, many
	seconds                      [2]string
}

var languages = [...]*words{English: &english, French: &french}

var english = words{
	updates: "Windows updates", restart: "Restart for Windows updates",
	exitHeading: "%d Windows updates are waiting to be installed", exitHeadingOne: "%d Windows update is waiting to be installed",
	exitText: "They are installed before the computer shuts down.", skip: "Skip the installation of Windows Updates",
	countdownIn: "The installation starts in %s.", install: "Install", notNow: "Not now", wait: "Stop countdown",
	installing: "Updates are being installed", doNotSwitchOff: "Do not switch the computer off. It may be used again when this window has closed.",
	stopping: "The installation is being stopped", stoppingText: "The time for it is over. What is not installed yet is installed another time. Do not switch the computer off.",
	scanStep: "Searching: %d %%", downloadStep: "Downloading: %d %%", installStep: "Installing: %d %%",
	done: "The updates are installed", doneText: "The computer may be switched off.", failed: "Not everything could be installed: %s",
	closeButton:    "Close",
	restartHeading: "This computer needs to restart to finish installing updates", restartAgain: "This computer still needs to restart",
	restartText: "Save your work before you restart.", forcedAt: "It restarts by itself on %s at the latest.",
	leftNone: "It cannot be put off any more.", leftOne: "It can be put off once more.", leftMany: "It can be put off %d more times.",
	restartNow: "Restart now", later: "Remind me in %s",
	countHeading: "This computer restarts in %s", countText: "Save your work now. The restart finishes the installation of updates.",
	moment:     "%[1]s, %[3]s %[2]d at %02[4]d:%02[5]d",
	dayNames:   "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
	monthNames: "January February March April May June July August September October November December",
	units:      [3][2]string{{"day", "days"}, {"hour", "hours"}, {"minute", "minutes"}}, seconds: [2]string{"second", "seconds"},
}

var french = words{
	updates: "Mises à jour Windows", restart: "Redémarrage pour les mises à jour Windows",
	exitHeading: "%d mises à jour Windows attendent d’être installées", exitHeadingOne: "%d mise à jour Windows attend d’être installée",
	exitText: "Elles sont installées avant l’arrêt de l’ordinateur.", skip: "Ne pas installer les mises à jour Windows",
	countdownIn: "L’installation commence dans %s.", install: "Installer", notNow: "Pas maintenant", wait: "Arrêter le compte à rebours",
	installing: "Installation des mises à jour", doNotSwitchOff: "N’éteignez pas l’ordinateur. Vous pourrez l’utiliser de nouveau quand cette fenêtre se sera fermée.",
	stopping: "Arrêt de l’installation", stoppingText: "Le temps prévu est écoulé. Ce qui n’est pas encore installé le sera une autre fois. N’éteignez pas l’ordinateur.",
	scanStep: "Recherche : %d %%", downloadStep: "Téléchargement : %d %%", installStep: "Installation : %d %%",
	done: "Les mises à jour sont installées", doneText: "L’ordinateur peut être éteint.", failed: "Tout n’a pas pu être installé : %s",
	closeButton:    "Fermer",
	restartHeading: "Cet ordinateur doit redémarrer pour terminer l’installation des mises à jour", restartAgain: "Cet ordinateur doit toujours redémarrer",
	restartText: "Enregistrez votre travail avant de redémarrer.", forcedAt: "Il redémarrera de lui-même au plus tard le %s.",
	leftNone: "Le redémarrage ne peut plus être reporté.", leftOne: "Le redémarrage peut être reporté encore une fois.", leftMany: "Le redémarrage peut être reporté encore %d fois.",
	restartNow: "Redémarrer maintenant", later: "Me le rappeler dans %s",
	countHeading: "Cet ordinateur redémarre dans %s", countText: "Enregistrez votre travail maintenant. Le redémarrage termine l’installation des mises à jour.",
	moment:     "%s %d %s à %02d h %02d",
	dayNames:   "dimanche lundi mardi mercredi jeudi vendredi samedi",
	monthNames: "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
	units:      [3][2]string{{"jour", "jours"}, {"heure", "heures"}, {"minute", "minutes"}}, seconds: [2]string{"seconde", "secondes"},
}

func (l Language) words() *words {
	if l < 0 || int(l) >= len(languages) {
		return languages[English]
	}
	return languages[l]
}

// at is a moment for people, in the location of t.
func (w *words) at(t time.Time) string {
	days, months := strings.Fields(w.dayNames), strings.Fields(w.monthNames)
	return fmt.Sprintf(w.moment, days[t.Weekday()], t.Day(), months[t.Month()-1], t.Hour(), t.Minute())
}

// span is a duration for people, in the largest unit that gives a whole
// number: 1 hour, 90 minutes, 3 days; seconds below two minutes.
func (w *words) span(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	if d >= 2*time.Minute {
		d = d.Truncate(time.Minute)
	}
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		if d >= unit && d%unit == 0 && (d > time.Minute || i < 2) {
			return counted(int(d/unit), w.units[i])
		}
	}
	return counted(int(d/time.Second), w.seconds)
}

func counted(n int, forms [2]string) string {
	if n == 1 {
		return "1 " + forms[0]
	}
	return fmt.Sprintf("%d %s", n, forms[1])
}
