package console

import (
	"errors"

	"waptwua"
	"waptwua/server"
)

// downloadsPage is /downloads.
type downloadsPage struct {
	frame
	Query *query
	List  server.List[server.DownloadView]
	Pager pager
}

func listDownloads(tasks Tasks) handler {
	return func(q *request) (answer, error) {
		p := downloadsPage{frame: q.frame, Query: queryOf(q)}
		state, err := oneOf(p.Query, "state", states...)
		if err != nil {
			return answer{}, err
		}
		part, err := p.Query.part()
		if err != nil {
			return answer{}, err
		}
		if p.List, err = tasks.Downloads(q.Context(), state, part); err != nil {
			return answer{}, err
		}
		p.Pager = newPager(p.Query, part, len(p.List.Items), p.List.Total)
		return show(p.view())
	}
}

// runsPage is /runs.
type runsPage struct {
	frame
	Query *query
	List  server.List[server.RunView]
	Pager pager
}

func listRuns(tasks Tasks) handler {
	return func(q *request) (answer, error) {
		p := runsPage{frame: q.frame, Query: queryOf(q)}
		job, err := oneOf(p.Query, "job", jobs...)
		if err != nil {
			return answer{}, err
		}
		part, err := p.Query.part()
		if err != nil {
			return answer{}, err
		}
		if p.List, err = tasks.Runs(q.Context(), job, part); err != nil {
			return answer{}, err
		}
		p.Pager = newPager(p.Query, part, len(p.List.Items), p.List.Total)
		return show(p.view())
	}
}

// fetchNow is POST /fetch: the index and then the missing files.
func fetchNow(jobs Jobs) handler {
	return func(q *request) (answer, error) {
		notice := "busy"
		for _, job := range []server.Job{server.JobArchive, server.JobFiles} {
			switch err := jobs.Ask(q.Context(), job, false); {
			case err == nil:
				notice = "fetch"
			case !errors.Is(err, waptwua.ErrConflict):
				return answer{}, err
			}
		}
		return goTo("/runs?" + noticeParam + "=" + notice)
	}
}
