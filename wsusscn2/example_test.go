package wsusscn2_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"

	"waptwua/wsusscn2"
)

// Titles in English of every revision of an archive.
func ExampleArchive_Fragments() {
	f, err := os.Open("wsusscn2.cab")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		log.Fatal(err)
	}
	archive, err := wsusscn2.Open(f, info.Size(), wsusscn2.Options{})
	if err != nil {
		log.Fatal(err)
	}
	titles := wsusscn2.Selection{Kinds: []wsusscn2.Kind{wsusscn2.KindLocalized}, Languages: []string{"en"}}
	parser := wsusscn2.NewParser(wsusscn2.Limits{})
	err = archive.Fragments(context.Background(), titles, func(fragment wsusscn2.Fragment) error {
		texts, err := parser.Localized(fragment.Data)
		fmt.Println(fragment.RevisionID, texts.Title)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

// Two workers share the shards of an archive, so at most three are in memory.
func ExampleArchive_Shards() {
	count := func(ctx context.Context, archive *wsusscn2.Archive) (int64, error) {
		shards := make(chan *wsusscn2.Shard)
		var fragments atomic.Int64
		var workers sync.WaitGroup
		for range 2 {
			workers.Go(func() {
				for s := range shards {
					err := s.Fragments(ctx, wsusscn2.Selection{}, func(wsusscn2.Fragment) error {
						fragments.Add(1)
						return nil
					})
					if err != nil {
						log.Println(err)
					}
					s.Close()
				}
			})
		}
		err := archive.Shards(ctx, wsusscn2.Selection{}, func(s *wsusscn2.Shard) error {
			shards <- s
			return nil
		})
		close(shards)
		workers.Wait()
		return fragments.Load(), err
	}
	_ = count
}
