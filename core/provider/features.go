package provider

// Features are the words for what a model can do. A list of models names those that the vendor vouches for; a word that is
// missing there says nothing.
func Features() []string {
	return []string{
		"chat", "embeddings", "tools", "structured_output", "reasoning", // what it does
		"images", "audio", "video", "files", // what it takes besides text
		"image_output", "audio_output", "video_output", // what it makes besides text
	}
}

// featureSet collects features in the order of Features, each once.
type featureSet map[string]bool

//go:noinline
func (s featureSet) add(word string, ok bool) {
	if ok {
		s[word] = true
	}
}

func (s featureSet) list() []string {
	var words []string
	for _, word := range Features() {
		if s[word] {
			words = append(words, word)
		}
	}
	return words
}

// takes adds what a model takes, from the vendor's list of modalities.
func (s featureSet) takes(modalities []string) {
	for _, word := range modalities {
		switch word {
		case "image":
			s.add("images", true)
		case "file", "pdf", "document":
			s.add("files", true)
		default:
			s.add(word, word == "audio" || word == "video")
		}
	}
}

// makes adds what a model makes.
func (s featureSet) makes(modalities []string) {
	for _, word := range modalities {
		switch word {
		case "text":
			s.add("chat", true)
		case "embedding", "embeddings":
			s.add("embeddings", true)
		case "speech":
			s.add("audio_output", true)
		default:
			s.add(word+"_output", word == "image" || word == "audio" || word == "video")
		}
	}
}
