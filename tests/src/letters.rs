//! A mail server, as small as one can be: it takes what it is given and shows it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A mail server that runs until it is dropped.
pub struct MailServer {
    address: String,
    letters: Arc<Mutex<Vec<Letter>>>,
    serving: tokio::task::JoinHandle<()>,
}

/// A letter that was taken.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Whom it is for, as the envelope says.
    pub to: String,
    /// All of it.
    pub text: String,
}

impl MailServer {
    /// One that answers on an address of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free address");
        let address = listener.local_addr().expect("its address").to_string();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&letters);
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(take(connection, Arc::clone(&kept)));
            }
        });
        Self { address, letters, serving }
    }

    /// Settings of a server that sends by it.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LIAISON_SMTP_URL", format!("smtp://{}", self.address)),
            ("LIAISON_MAIL_FROM", "Liaison <cahier@example.org>".to_owned()),
        ]
    }

    /// What it was given so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().expect("its letters").clone()
    }

    /// The letter after so many, once it is there.
    pub async fn letter(&self, after: usize) -> Letter {
        for _ in 0..200 {
            if let Some(letter) = self.letters().get(after) {
                return letter.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no letter after {after}");
    }
}

impl Letter {
    /// The code in it.
    pub fn code(&self) -> String {
        let words: Vec<&str> = self.text.split(|c: char| c.is_whitespace() || c == ':').collect();
        let digits = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        let pair = words.windows(2).find(|pair| pair.iter().all(|word| digits(word)));
        pair.map(|pair| pair.concat()).unwrap_or_else(|| panic!("no code in {}", self.text))
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(connection: TcpStream, letters: Arc<Mutex<Vec<Letter>>>) {
    let (reading, mut writing) = connection.into_split();
    let mut lines = BufReader::new(reading).lines();
    let (mut to, mut text) = (String::new(), None::<String>);
    let mut answer = "220 mail.example ESMTP\r\n";
    loop {
        if !answer.is_empty() && writing.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else { return };
        answer = match &mut text {
            Some(_) if line == "." => {
                let letter = Letter { to: to.clone(), text: text.take().unwrap_or_default() };
                letters.lock().expect("its letters").push(letter);
                "250 taken\r\n"
            }
            Some(text) => {
                text.push_str(&line);
                text.push('\n');
                ""
            }
            None => match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" => "250-mail.example\r\n250 8BITMIME\r\n",
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 fine\r\n"
                }
                "DATA" => {
                    text = Some(String::new());
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 fine\r\n",
            },
        };
    }
}
